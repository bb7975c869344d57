/* SPDX-License-Identifier: MIT */
/*
 * Formatting and the few string verbs the core needs. Reentrant, no state, no allocation, so that
 * a report can be made from any context.
 *
 * It formats as the kernel does where that differs from the C library's printf:
 *	%p	all digits of an address, zero-padded, without 0x ("0000000000001000")
 *	%#x	prefixes zero too ("0x0")
 *	%s	"(null)" for NULL
 */
#include "base/base.h"

enum fmt_flag {
	FMT_LEFT = 1,
	FMT_ZERO = 2,
	FMT_ALT = 4,
	FMT_PLUS = 8,
	FMT_SPACE = 16,
	FMT_UPPER = 32
};
enum fmt_length {
	LEN_CHAR,
	LEN_SHORT,
	LEN_INT,
	LEN_LONG,
	LEN_LLONG,
	LEN_SIZE,
	LEN_MAX,
	LEN_PTRDIFF
};

struct fmt_spec {
	unsigned int flags;
	int width, precision; /* precision < 0: none given */
	enum fmt_length length;
};

/* Where the text goes: what does not fit is counted and dropped. */
struct fmt_out {
	char *buf;
	size_t size, len;
};

static void out_char(struct fmt_out *out, char c)
{
	if (out->len + 1 < out->size)
		out->buf[out->len] = c;
	out->len++;
}

static void out_fill(struct fmt_out *out, char c, int n)
{
	for (; n > 0; n--)
		out_char(out, c);
}

static void out_text(struct fmt_out *out, const struct fmt_spec *spec, const char *s, size_t max)
{
	size_t n = 0;
	int pad;

	while (n < max && s[n] != '\0')
		n++;
	pad = spec->width > 0 && n < (size_t)spec->width ? spec->width - (int)n : 0;
	if (!(spec->flags & FMT_LEFT))
		out_fill(out, ' ', pad);
	for (size_t i = 0; i < n; i++)
		out_char(out, s[i]);
	if (spec->flags & FMT_LEFT)
		out_fill(out, ' ', pad);
}

/* Digits of v, last first; returns how many. Zero has one digit. */
static int digits_of(u64 v, unsigned int base, bool upper, char *digit)
{
	const char *set = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	int n = 0;

	do {
		u64 rest = base == 16 ? v >> 4 : base == 8 ? v >> 3 : div_u64(v, 10);

		digit[n++] = set[(unsigned int)(v - rest * base)];
		v = rest;
	} while (v != 0);
	return n;
}

static const char *number_prefix(const struct fmt_spec *spec, unsigned int base, bool negative)
{
	if (base == 10)
		return negative			 ? "-"
		       : spec->flags & FMT_PLUS	 ? "+"
		       : spec->flags & FMT_SPACE ? " "
						 : "";
	if (!(spec->flags & FMT_ALT))
		return "";
	return base == 8 ? "0" : spec->flags & FMT_UPPER ? "0X" : "0x";
}

static void out_number(struct fmt_out *out, const struct fmt_spec *spec, u64 v, unsigned int base,
		       bool negative)
{
	const char *prefix = number_prefix(spec, base, negative);
	char digit[24];
	int n = digits_of(v, base, (spec->flags & FMT_UPPER) != 0, digit);
	int zeros = spec->precision > n ? spec->precision - n : 0;
	int pad;

	assert_debug(n <= (int)sizeof(digit));
	if (v == 0 && spec->precision == 0)
		n = 0;
	pad = spec->width - (int)str_len(prefix) - n - zeros;
	/* A precision takes the place of the flag 0, as C has it. */
	if ((spec->flags & FMT_ZERO) && !(spec->flags & FMT_LEFT) && spec->precision < 0 &&
	    pad > 0) {
		zeros = pad;
		pad = 0;
	}
	if (!(spec->flags & FMT_LEFT))
		out_fill(out, ' ', pad);
	while (*prefix != '\0')
		out_char(out, *prefix++);
	out_fill(out, '0', zeros);
	while (n > 0)
		out_char(out, digit[--n]);
	if (spec->flags & FMT_LEFT)
		out_fill(out, ' ', pad);
}

static const char *spec_flags(const char *f, struct fmt_spec *spec)
{
	for (;; f++) {
		switch (*f) {
		case '-':
			spec->flags |= FMT_LEFT;
			break;
		case '0':
			spec->flags |= FMT_ZERO;
			break;
		case '#':
			spec->flags |= FMT_ALT;
			break;
		case '+':
			spec->flags |= FMT_PLUS;
			break;
		case ' ':
			spec->flags |= FMT_SPACE;
			break;
		default:
			return f;
		}
	}
}

/* A decimal number of at most 4 digits: wider fields than that are a mistake, not a wish. */
static const char *spec_int(const char *f, int *value)
{
	*value = 0;
	for (; *f >= '0' && *f <= '9'; f++)
		if (*value < 1000)
			*value = *value * 10 + (*f - '0');
	return f;
}

static const char *spec_length(const char *f, enum fmt_length *length)
{
	*length = LEN_INT;
	switch (*f) {
	case 'h':
		*length = f[1] == 'h' ? LEN_CHAR : LEN_SHORT;
		return f[1] == 'h' ? f + 2 : f + 1;
	case 'l':
		*length = f[1] == 'l' ? LEN_LLONG : LEN_LONG;
		return f[1] == 'l' ? f + 2 : f + 1;
	case 'z':
		*length = LEN_SIZE;
		return f + 1;
	case 't':
		*length = LEN_PTRDIFF;
		return f + 1;
	case 'j':
		*length = LEN_MAX;
		return f + 1;
	default:
		return f;
	}
}

/* va_list is passed in a struct because it may be an array type, which a pointer cannot name. */
struct fmt_args {
	va_list ap;
};

static u64 arg_unsigned(struct fmt_args *args, enum fmt_length length)
{
	switch (length) {
	case LEN_CHAR:
		return (unsigned char)va_arg(args->ap, unsigned int);
	case LEN_SHORT:
		return (unsigned short)va_arg(args->ap, unsigned int);
	case LEN_LONG:
		return va_arg(args->ap, unsigned long);
	case LEN_LLONG:
		return va_arg(args->ap, unsigned long long);
	case LEN_MAX:
		return va_arg(args->ap, uintmax_t);
	case LEN_SIZE:
		return va_arg(args->ap, size_t);
	case LEN_PTRDIFF:
		return (size_t)va_arg(args->ap, ptrdiff_t);
	case LEN_INT:
		break;
	}
	return va_arg(args->ap, unsigned int);
}

static s64 arg_signed(struct fmt_args *args, enum fmt_length length)
{
	switch (length) {
	case LEN_CHAR:
		return (signed char)va_arg(args->ap, int);
	case LEN_SHORT:
		return (short)va_arg(args->ap, int);
	case LEN_LONG:
		return va_arg(args->ap, long);
	case LEN_LLONG:
		return va_arg(args->ap, long long);
	case LEN_MAX:
		return va_arg(args->ap, intmax_t);
	case LEN_SIZE:
	case LEN_PTRDIFF:
		return va_arg(args->ap, ptrdiff_t);
	case LEN_INT:
		break;
	}
	return va_arg(args->ap, int);
}

static void out_signed(struct fmt_out *out, const struct fmt_spec *spec, s64 v)
{
	out_number(out, spec, v < 0 ? 0 - (u64)v : (u64)v, 10, v < 0);
}

static void out_pointer(struct fmt_out *out, struct fmt_spec *spec, const void *p)
{
	spec->precision = 2 * (int)sizeof(p);
	out_number(out, spec, (uintptr_t)p, 16, false);
}

static void out_string(struct fmt_out *out, const struct fmt_spec *spec, const char *s)
{
	out_text(out, spec, s ? s : "(null)",
		 spec->precision < 0 ? SIZE_MAX : (size_t)spec->precision);
}

/* The conversion itself; an unknown one is copied, so that the mistake shows in the text. */
static void out_conversion(struct fmt_out *out, struct fmt_spec *spec, char conv,
			   struct fmt_args *args)
{
	char c;

	switch (conv) {
	case 'd':
	case 'i':
		out_signed(out, spec, arg_signed(args, spec->length));
		break;
	case 'u':
		/* A sign, or the place of one, is for numbers that can have one. */
		spec->flags &= ~(unsigned int)(FMT_PLUS | FMT_SPACE);
		out_number(out, spec, arg_unsigned(args, spec->length), 10, false);
		break;
	case 'X':
		spec->flags |= FMT_UPPER;
		out_number(out, spec, arg_unsigned(args, spec->length), 16, false);
		break;
	case 'x':
		out_number(out, spec, arg_unsigned(args, spec->length), 16, false);
		break;
	case 'o':
		out_number(out, spec, arg_unsigned(args, spec->length), 8, false);
		break;
	case 'p':
		out_pointer(out, spec, va_arg(args->ap, const void *));
		break;
	case 's':
		out_string(out, spec, va_arg(args->ap, const char *));
		break;
	case 'c':
		c = (char)va_arg(args->ap, int);
		out_fill(out, ' ', spec->flags & FMT_LEFT ? 0 : spec->width - 1);
		out_char(out, c);
		out_fill(out, ' ', spec->flags & FMT_LEFT ? spec->width - 1 : 0);
		break;
	case '%':
		out_char(out, '%');
		break;
	default:
		out_char(out, '%');
		out_char(out, conv);
	}
}

/* One conversion, from the character after '%'. Returns the first character behind it. */
static const char *fmt_one(struct fmt_out *out, const char *f, struct fmt_args *args)
{
	struct fmt_spec spec = {.precision = -1};

	f = spec_flags(f, &spec);
	if (*f == '*') {
		spec.width = va_arg(args->ap, int);
		if (spec.width < 0) {
			spec.flags |= FMT_LEFT;
			spec.width = -spec.width;
		}
		f++;
	} else {
		f = spec_int(f, &spec.width);
	}
	if (*f == '.' && f[1] == '*') {
		spec.precision = va_arg(args->ap, int);
		f += 2;
	} else if (*f == '.') {
		f = spec_int(f + 1, &spec.precision);
	}
	f = spec_length(f, &spec.length);
	if (*f == '\0')
		return f;
	out_conversion(out, &spec, *f, args);
	return f + 1;
}

int fmt_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
	struct fmt_out out = {.buf = buf, .size = size};
	struct fmt_args args;

	assert_debug(buf || size == 0);
	va_copy(args.ap, ap);
	while (*fmt != '\0') {
		if (*fmt == '%')
			fmt = fmt_one(&out, fmt + 1, &args);
		else
			out_char(&out, *fmt++);
	}
	va_end(args.ap);
	if (size > 0)
		buf[size_min(out.len, size - 1)] = '\0';
	return (int)size_min(out.len, INT32_MAX);
}

int fmt_snprintf(char *buf, size_t size, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = fmt_vsnprintf(buf, size, fmt, ap);
	va_end(ap);
	return n;
}
