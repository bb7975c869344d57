/* SPDX-License-Identifier: MIT */
/*
 * Messages and misuse: declared by base for every floor, and at home here because counting what any
 * context may report needs atomics.
 *
 * A message is built in a buffer on the stack and handed to the log hook, or to the port: no lock,
 * no allocation, any context. A text longer than the buffer is cut; each call is whole lines, the
 * last of which is ended here if the text does not end it.
 *
 * The hooks are user code: whoever reports holds no lock.
 */
#include "sync/sync.h"

enum { REPORT_MAX = 512, REPORT_DEPTH = 16 };

static struct hook log_hook;
static struct hook misuse_hook;
static unsigned long misuses;

static void report_emit(int level, const char *text, size_t len)
{
	hook_fn fn;
	void *arg;

	if (hook_get(&log_hook, &fn, &arg))
		((kmem_log_fn)fn)(level, text, len, arg);
	else
		port_log(level, text, len);
}

static void report_va(int level, const char *fmt, va_list ap)
{
	char text[REPORT_MAX];
	/* One place is kept for the line's end. */
	size_t n = (size_t)fmt_vsnprintf(text, sizeof(text) - 1, fmt, ap);

	n = size_min(n, sizeof(text) - 2);
	if (n == 0 || text[n - 1] != '\n')
		text[n++] = '\n';
	text[n] = '\0';
	assert_debug(n < sizeof(text));
	report_emit(level, text, n);
}

void report(int level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	report_va(level, fmt, ap);
	va_end(ap);
}

static void report_pc(int level, const void *pc)
{
	char symbol[128];

	port_symbol(pc, symbol, sizeof(symbol));
	report(level, " [<%p>] %s", pc, symbol);
}

void report_stack(int level)
{
	void *pc[REPORT_DEPTH];
	unsigned int n = port_backtrace(pc, REPORT_DEPTH);

	assert_debug(n <= REPORT_DEPTH);
	report(level, "Call Trace:");
	for (unsigned int i = 0; i < n; i++)
		report_pc(level, pc[i]);
}

void report_site(int level, const char *title, const uintptr_t *pc, unsigned int n)
{
	void *own[1];

	/* A port that names no code addresses, lest runs differ, has none of these either. */
	if (port_backtrace(own, ARRAY_SIZE(own)) == 0)
		return;
	report(level, "%s", title);
	for (unsigned int i = 0; i < n && pc[i]; i++)
		report_pc(level, (const void *)pc[i]);
}

void report_misuse(enum kmem_misuse code, const void *addr, const char *fmt, ...)
{
	struct kmem_stat *stat = kmem_machine.stat;
	hook_fn fn;
	void *arg;
	va_list ap;

	assert_debug(code != KMEM_MISUSE_NONE);
	atom_add(&misuses, 1);
	if (stat)
		atom_add(&stat->misuses, 1);
	if (hook_get(&misuse_hook, &fn, &arg))
		((kmem_misuse_fn)fn)(code, addr, arg);
	va_start(ap, fmt);
	report_va(KMEM_LOG_WARN, fmt, ap);
	va_end(ap);
	report_stack(KMEM_LOG_WARN);
}

void report_audit(const char *expr, const char *file, int line, const char *fmt, ...)
{
	char text[REPORT_MAX / 2];
	va_list ap;

	va_start(ap, fmt);
	fmt_vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	report(KMEM_LOG_ERR, "kmem: check failed: %s at %s:%d: %s", expr, file, line, text);
}

/* Who finds the state busy is refused, as if the burst were spent: nothing is waited for. */
bool ratelimit_ok(struct ratelimit *rl)
{
	u64 now, interval_ns;
	bool ok;

	if (atom_xchg(&rl->busy, 1) != 0) /* pairs with the store below */
		return false;
	now = port_now_ns();
	interval_ns = (u64)rl->interval_ms * 1000000;
	if (rl->printed == 0 || now - rl->begin_ns >= interval_ns) {
		rl->begin_ns = now;
		rl->printed = 0;
		rl->missed = 0;
	}
	ok = rl->printed < rl->burst;
	if (ok)
		rl->printed++;
	else
		rl->missed++;
	atom_store_rel(&rl->busy, 0);
	return ok;
}

void kmem_set_log(kmem_log_fn fn, void *arg)
{
	hook_set(&log_hook, (hook_fn)fn, arg);
}

void kmem_set_misuse_hook(kmem_misuse_fn fn, void *arg)
{
	hook_set(&misuse_hook, (hook_fn)fn, arg);
}

unsigned long kmem_misuse_count(void)
{
	return atom_load(&misuses);
}
