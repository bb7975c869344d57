// SPDX-License-Identifier: MIT
/*
 * Module parameters: entries in a section of the program. A word "module.name=value" or "name=value"
 * of the command line that names one is kept until the machine runs, for charp parameters allocate,
 * and set then; any other word is the machine's. A name that several modules have is set in all.
 */
#include "internal.h"
#include <ctype.h>
#include <errno.h>
#include <linux/init.h>
#include <linux/moduleparam.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS = 64 };

extern const struct kernel_param params_start[] __asm__("__start_kmem_env_params")
	__attribute__((weak));
extern const struct kernel_param params_stop[] __asm__("__stop_kmem_env_params")
	__attribute__((weak));
extern const struct kmem_env_setup setups_start[] __asm__("__start_kmem_env_setups")
	__attribute__((weak));
extern const struct kmem_env_setup setups_stop[] __asm__("__stop_kmem_env_setups")
	__attribute__((weak));

static const char *words[WORDS];
static unsigned int nr_words;

/* ---- Types -------------------------------------------------------------------------------------- */

/* The whole text must be a number in the range; a newline may follow. */
static int number(const char *val, long long min, unsigned long long max, unsigned long long *to)
{
	char *end;
	unsigned long long v;

	if (!val || !*val)
		return -EINVAL;
	errno = 0;
	v = *val == '-' ? (unsigned long long)strtoll(val, &end, 0) : strtoull(val, &end, 0);
	if (errno == ERANGE)
		return -ERANGE;
	if (end == val || (*end && *end != '\n'))
		return -EINVAL;
	if (*val == '-' ? (long long)v < min : v > max)
		return -ERANGE;
	*to = v;
	return 0;
}

#define PARAM(word, type, min, max, format)                                        \
	int param_set_##word(const char *val, const struct kernel_param *kp);      \
	int param_set_##word(const char *val, const struct kernel_param *kp)       \
	{                                                                          \
		unsigned long long v;                                              \
		int err = number(val, (min), (max), &v);                           \
                                                                                   \
		if (!err)                                                          \
			*(type *)kp->arg = (type)v;                                \
		return err;                                                        \
	}                                                                          \
	int param_get_##word(char *buffer, const struct kernel_param *kp);         \
	int param_get_##word(char *buffer, const struct kernel_param *kp)          \
	{                                                                          \
		return sprintf(buffer, format "\n", *(type *)kp->arg);             \
	}                                                                          \
	const struct kernel_param_ops param_ops_##word = {.set = param_set_##word, \
							  .get = param_get_##word}

PARAM(byte, unsigned char, 0, UCHAR_MAX, "%hhu");
PARAM(short, short, SHRT_MIN, SHRT_MAX, "%hd");
PARAM(ushort, unsigned short, 0, USHRT_MAX, "%hu");
PARAM(int, int, INT_MIN, INT_MAX, "%d");
PARAM(uint, unsigned int, 0, UINT_MAX, "%u");
PARAM(hexint, unsigned int, 0, UINT_MAX, "%#08x");
PARAM(long, long, LONG_MIN, LONG_MAX, "%ld");
PARAM(ulong, unsigned long, 0, ULONG_MAX, "%lu");
PARAM(ullong, unsigned long long, 0, ULLONG_MAX, "%llu");

int param_set_uint_minmax(const char *val, const struct kernel_param *kp, unsigned int min,
			  unsigned int max)
{
	unsigned long long v;

	if (number(val, 0, UINT_MAX, &v) || v < min || v > max)
		return -EINVAL;
	*(unsigned int *)kp->arg = (unsigned int)v;
	return 0;
}

/* No value: true. */
static int truth(const char *val, bool *to)
{
	if (!val || strchr("yYtT1", *val)) {
		*to = true;
		return 0;
	}
	if (strchr("nNfF0", *val)) {
		*to = false;
		return 0;
	}
	if (strncasecmp(val, "on", 2) == 0 || strncasecmp(val, "of", 2) == 0) {
		*to = tolower((unsigned char)val[1]) == 'n';
		return 0;
	}
	return -EINVAL;
}

int param_set_bool(const char *val, const struct kernel_param *kp)
{
	return truth(val, kp->arg);
}

int param_get_bool(char *buffer, const struct kernel_param *kp)
{
	return sprintf(buffer, "%c\n", *(bool *)kp->arg ? 'Y' : 'N');
}

static int set_invbool(const char *val, const struct kernel_param *kp)
{
	bool v;
	int err = truth(val, &v);

	if (!err)
		*(bool *)kp->arg = !v;
	return err;
}

static int set_bint(const char *val, const struct kernel_param *kp)
{
	bool v;
	int err = truth(val, &v);

	if (!err)
		*(int *)kp->arg = v;
	return err;
}

static int set_enable_only(const char *val, const struct kernel_param *kp)
{
	bool v;
	int err = truth(val, &v);

	if (!err && !v && *(bool *)kp->arg)
		return -EROFS;
	if (!err)
		*(bool *)kp->arg = v;
	return err;
}

const struct kernel_param_ops param_ops_bool = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG, .set = param_set_bool, .get = param_get_bool};
const struct kernel_param_ops param_ops_invbool = {.set = set_invbool, .get = param_get_bool};
const struct kernel_param_ops param_ops_bint = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG, .set = set_bint, .get = param_get_int};
const struct kernel_param_ops param_ops_bool_enable_only = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG, .set = set_enable_only, .get = param_get_bool};

/* The word of the command line lives as long as the program: it is not copied. */
int param_set_charp(const char *val, const struct kernel_param *kp)
{
	*(const char **)kp->arg = val;
	return 0;
}

int param_get_charp(char *buffer, const struct kernel_param *kp)
{
	return sprintf(buffer, "%s\n", *(const char **)kp->arg);
}
const struct kernel_param_ops param_ops_charp = {.set = param_set_charp, .get = param_get_charp};

static int set_string(const char *val, const struct kernel_param *kp)
{
	if (strlen(val) + 1 > kp->str->maxlen)
		return -ENOSPC;
	strcpy(kp->str->string, val);
	return 0;
}

static int get_string(char *buffer, const struct kernel_param *kp)
{
	return sprintf(buffer, "%s\n", kp->str->string);
}
const struct kernel_param_ops param_ops_string = {.set = set_string, .get = get_string};

/* Elements between commas. */
static int set_array(const char *val, const struct kernel_param *kp)
{
	const struct kparam_array *arr = kp->arr;
	unsigned int n = 0;

	while (val) {
		char one[64];
		struct kernel_param k = {.name = kp->name, .ops = arr->ops};
		size_t len = strcspn(val, ",");
		int err;

		if (n == arr->max || len >= sizeof(one))
			return -EINVAL;
		memcpy(one, val, len);
		one[len] = '\0';
		k.arg = (char *)arr->elem + (size_t)n * arr->elemsize;
		err = arr->ops->set(one, &k);
		if (err)
			return err;
		n++;
		val = val[len] ? val + len + 1 : NULL;
	}
	if (arr->num)
		*arr->num = n;
	return 0;
}
const struct kernel_param_ops param_array_ops = {.set = set_array};

/* ---- Words -------------------------------------------------------------------------------------- */

/* Dashes and underscores are the same. */
static bool same(const char *a, const char *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		char x = a[i] == '-' ? '_' : a[i], y = b[i] == '-' ? '_' : b[i];

		if (x != y || !x)
			return false;
	}
	return b[n] == '\0';
}

static bool names(const char *word, size_t len, const struct kernel_param *p)
{
	const char *dot = memchr(word, '.', len);

	if (!dot)
		return same(word, p->name, len);
	return p->module && same(word, p->module, (size_t)(dot - word)) &&
	       same(dot + 1, p->name, len - (size_t)(dot + 1 - word));
}

static unsigned int word_apply(const char *word, bool set)
{
	size_t len = strcspn(word, "=");
	const char *val = word[len] ? word + len + 1 : NULL;
	unsigned int found = 0;

	for (const struct kernel_param *p = params_start; p < params_stop; p++) {
		if (!names(word, len, p))
			continue;
		found++;
		if (set && !val && !(p->ops->flags & KERNEL_PARAM_OPS_FL_NOARG))
			kmem_env_fail("parameter %s wants a value", word);
		else if (set && p->ops->set(val, p))
			kmem_env_fail("parameter %s: bad value", word);
	}
	for (const struct kmem_env_setup *s = setups_start; s < setups_stop; s++) {
		size_t n = strlen(s->text);

		if (strncmp(word, s->text, n))
			continue;
		found++;
		if (set)
			s->fn((char *)(uintptr_t)word + n + (s->early && word[n] == '='));
	}
	return found;
}

bool env_param_word(const char *word)
{
	if (!word_apply(word, false))
		return false;
	if (nr_words == WORDS)
		panic("more than %d parameters\n", WORDS);
	words[nr_words++] = word;
	return true;
}

void env_params_start(void)
{
	for (unsigned int i = 0; i < nr_words; i++)
		word_apply(words[i], true);
}
