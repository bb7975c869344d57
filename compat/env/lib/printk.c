// SPDX-License-Identifier: MIT
/*
 * printk and the kernel's formats.
 *
 * A format is cut into conversions. Those that C knows go to the C library one by one; %p and what
 * follows it is the kernel's:
 *
 *	%pS %ps %pB	a symbol with its offset, or its name alone
 *	%pV		a struct va_format: another format with its arguments
 *	%pe		an error pointer by its name or number
 *	%pM %pI4 %pU..	bytes: a MAC, an address, a UUID
 *	%ph		bytes in hex, as many as the field is wide
 *	%pK %px %p	the address, as it is: there is nothing to hide from here
 *
 * A message begins with SOH and a digit where it has a level; KERN_CONT ('c') goes on with the line.
 * Lines go to stderr in one write each, so tasks do not mix in a line. "loglevel=N" shows the levels
 * below N, as in the kernel; 8 at first: all.
 */
#include "internal.h"
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE = 1024, SPEC = 32, SOH = 1, LEVEL_DEFAULT = 4, LEVELS = 8 };

struct va_format {
	const char *fmt;
	va_list *va;
};

/* What is written so far: len may exceed size, as snprintf's result may. */
struct out {
	char *buf;
	size_t size, len;
};

int console_loglevel = LEVELS;

/* ---- Writing ------------------------------------------------------------------------------------ */

static void put(struct out *o, const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++, o->len++) {
		if (o->len + 1 < o->size)
			o->buf[o->len] = s[i];
	}
}

static void put_str(struct out *o, const char *s)
{
	put(o, s, strlen(s));
}

static __attribute__((format(printf, 2, 3))) void put_fmt(struct out *o, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put_str(o, text);
}

/* ---- Pointers ----------------------------------------------------------------------------------- */

static void put_symbol(struct out *o, const void *p, bool offset)
{
	size_t off = 0;
	const char *name = env_symbol(p, &off);
	Dl_info info;

	if (!name && dladdr(p, &info) && info.dli_sname) {
		name = info.dli_sname;
		off = (uintptr_t)p - (uintptr_t)info.dli_saddr;
	}
	if (!name) {
		put_fmt(o, "%p", p);
		return;
	}
	put_str(o, name);
	if (offset)
		put_fmt(o, "+0x%lx", (unsigned long)off);
}

static void put_error(struct out *o, const void *p)
{
	intptr_t err = (intptr_t)p;
	const char *name = err < 0 && err >= -4095 ? strerrorname_np((int)-err) : NULL;

	if (name)
		put_fmt(o, "-%s", name);
	else
		put_fmt(o, "%p", p);
}

static void put_bytes(struct out *o, const unsigned char *p, int n, char between, const char *fmt)
{
	char one[8];

	for (int i = 0; i < n; i++) {
		if (i && between)
			put(o, &between, 1);
		snprintf(one, sizeof(one), strcmp(fmt, "%u") == 0 ? "%u" : "%02x", p[i]);
		put_str(o, one);
	}
}

static void put_uuid(struct out *o, const unsigned char *p)
{
	static const int parts[] = {4, 2, 2, 2, 6};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); p += parts[i], i++) {
		if (i)
			put_str(o, "-");
		put_bytes(o, p, parts[i], 0, "%02x");
	}
}

static void put_recursive(struct out *o, const struct va_format *vf)
{
	char text[LINE];
	va_list copy;

	va_copy(copy, *vf->va);
	kmem_env_vsnprintf(text, sizeof(text), vf->fmt, copy);
	va_end(copy);
	put_str(o, text);
}

/* fmt is after the p; returns what is after the extension. */
static const char *put_pointer(struct out *o, const char *fmt, int width, const void *p)
{
	const char *start = fmt;

	while ((*fmt >= 'a' && *fmt <= 'z') || (*fmt >= 'A' && *fmt <= 'Z') ||
	       (*fmt >= '0' && *fmt <= '9'))
		fmt++;
	switch (*start) {
	case 'S':
	case 'B':
	case 's':
		put_symbol(o, p, *start != 's');
		return start + 1;
	case 'V':
		put_recursive(o, p);
		return start + 1;
	case 'e':
		put_error(o, p);
		return start + 1;
	case 'M':
		put_bytes(o, p, 6, ':', "%02x");
		return fmt;
	case 'h':
		put_bytes(o, p, width > 0 ? width : 1,
			  start[1] == 'C'   ? ':'
			  : start[1] == 'D' ? '-'
			  : start[1] == 'N' ? 0
					    : ' ',
			  "%02x");
		return start + 1 + (start[1] == 'C' || start[1] == 'D' || start[1] == 'N');
	case 'I':
		put_bytes(o, p, start[1] == '6' ? 16 : 4, start[1] == '6' ? ':' : '.',
			  start[1] == '6' ? "%02x" : "%u");
		return fmt;
	case 'U':
		put_uuid(o, p);
		return fmt;
	case 'x':
	case 'K':
		put_fmt(o, "%0*lx", (int)(2 * sizeof(p)), (unsigned long)(uintptr_t)p);
		return start + 1;
	default:
		put_fmt(o, "%0*lx", (int)(2 * sizeof(p)), (unsigned long)(uintptr_t)p);
		return *start == 'd' || *start == 'D' || *start == 'G' || *start == 'b' ? fmt
											: start;
	}
}

/* ---- Conversions -------------------------------------------------------------------------------- */

struct spec {
	char text
		[SPEC]; /* "%", flags, width and precision, as far as the length and the conversion */
	size_t len;
	int width;
	char size; /* 'H' hh, 'h', 'l', 'L' ll, 'z', 't', 'j', or 0 */
};

static void spec_put(struct spec *s, char c)
{
	if (s->len + 8 < SPEC)
		s->text[s->len++] = c;
}

static void spec_number(struct spec *s, int n)
{
	char digits[12];

	snprintf(digits, sizeof(digits), "%d", n);
	for (const char *d = digits; *d; d++)
		spec_put(s, *d);
}

static const char *spec_size(struct spec *s, const char *f)
{
	s->size = 0;
	while (*f == 'h' || *f == 'l' || *f == 'z' || *f == 't' || *f == 'j' || *f == 'L' ||
	       *f == 'Z') {
		if (*f == 'l' || *f == 'L')
			s->size = s->size == 'l' || *f == 'L' ? 'L' : 'l';
		else if (*f == 'h')
			s->size = s->size == 'h' ? 'H' : 'h';
		else
			s->size = 'z';
		f++;
	}
	return f;
}

static void put_integer(struct out *o, struct spec *s, char conv, va_list *ap)
{
	bool is_signed = conv == 'd' || conv == 'i';
	long long v;
	char text[128];

	if (s->size == 'L')
		v = va_arg(*ap, long long);
	else if (s->size == 'l' || s->size == 'z')
		v = is_signed ? va_arg(*ap, long) : (long long)va_arg(*ap, unsigned long);
	else
		v = is_signed ? va_arg(*ap, int) : (long long)va_arg(*ap, unsigned int);
	if (s->size == 'h')
		v = is_signed ? (short)v : (unsigned short)v;
	if (s->size == 'H')
		v = is_signed ? (signed char)v : (unsigned char)v;
	spec_put(s, 'l');
	spec_put(s, 'l');
	spec_put(s, conv);
	s->text[s->len] = '\0';
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(text, sizeof(text), s->text, v);
#pragma GCC diagnostic pop
	put_str(o, text);
}

static void put_string(struct out *o, struct spec *s, const char *v)
{
	char *text;
	int n;

	spec_put(s, 's');
	s->text[s->len] = '\0';
	if (!v)
		v = "(null)";
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	n = asprintf(&text, s->text, v);
#pragma GCC diagnostic pop
	if (n < 0)
		return;
	put(o, text, (size_t)n);
	free(text);
}

/* f is after the '%'; returns what is after the conversion. */
static const char *convert(struct out *o, const char *f, va_list *ap)
{
	struct spec s = {.text = "%", .len = 1};
	bool precision = false;

	for (; strchr("-+ #0123456789.*", *f) && *f; f++) {
		if (*f == '.')
			precision = true;
		if (*f == '*') {
			int n = va_arg(*ap, int);

			if (!precision)
				s.width = n;
			spec_number(&s, n);
			continue;
		}
		if (!precision && *f >= '0' && *f <= '9')
			s.width = s.width * 10 + (*f - '0');
		spec_put(&s, *f);
	}
	f = spec_size(&s, f);
	switch (*f) {
	case 'd':
	case 'i':
	case 'u':
	case 'x':
	case 'X':
	case 'o':
		put_integer(o, &s, *f, ap);
		return f + 1;
	case 'c': {
		char c = (char)va_arg(*ap, int);

		put(o, &c, 1);
		return f + 1;
	}
	case 's':
		put_string(o, &s, va_arg(*ap, const char *));
		return f + 1;
	case 'p':
		return put_pointer(o, f + 1, s.width, va_arg(*ap, const void *));
	case '%':
		put(o, "%", 1);
		return f + 1;
	case '\0':
		return f;
	default:
		put(o, f, 1);
		return f + 1;
	}
}

int kmem_env_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct out o = {.buf = buf, .size = size};
	va_list args;

	va_copy(args, ap);
	while (*fmt) {
		size_t plain = strcspn(fmt, "%");

		put(&o, fmt, plain);
		fmt += plain;
		if (*fmt == '%')
			fmt = convert(&o, fmt + 1, &args);
	}
	va_end(args);
	if (size)
		buf[o.len < size ? o.len : size - 1] = '\0';
	return (int)o.len;
}

int kmem_env_snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = kmem_env_vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}

int kmem_env_vsprintf(char *buf, const char *fmt, va_list ap)
{
	return kmem_env_vsnprintf(buf, INT_MAX, fmt, ap);
}

int kmem_env_sprintf(char *buf, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = kmem_env_vsprintf(buf, fmt, ap);
	va_end(ap);
	return n;
}

/* What was written, not what would have been. */
int vscnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	int n = kmem_env_vsnprintf(buf, size, fmt, ap);

	if (!size)
		return 0;
	return (size_t)n < size ? n : (int)size - 1;
}

int scnprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vscnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}

/* ---- Messages ----------------------------------------------------------------------------------- */

static void write_all(const char *s, size_t n)
{
	while (n) {
		ssize_t done = write(2, s, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return;
		s += done;
		n -= (size_t)done;
	}
}

int vprintk(const char *fmt, va_list ap)
{
	int level = LEVEL_DEFAULT, n;
	char text[LINE];
	const char *s = text;

	n = kmem_env_vsnprintf(text, sizeof(text), fmt, ap);
	if (n >= LINE)
		n = LINE - 1;
	if (n >= 2 && s[0] == SOH) {
		level = s[1] == 'c' ? 0 : s[1] - '0';
		s += 2;
		n -= 2;
	}
	if (level < console_loglevel)
		write_all(s, (size_t)n);
	return n;
}

int _printk(const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vprintk(fmt, ap);
	va_end(ap);
	return n;
}

/* Declared by the kernel's printk.h alone. */
int vprintk_emit(int facility, int level, const void *dev, const char *fmt, va_list ap);
int vprintk_emit(int facility, int level, const void *dev, const char *fmt, va_list ap)
{
	(void)facility;
	(void)level;
	(void)dev;
	return vprintk(fmt, ap);
}
