// SPDX-License-Identifier: MIT
/*
 * What a kernel would panic, BUG or WARN about: a report in the kernel's form with a stack, counted.
 * A program with a warning ends with status 1; BUG and panic end it at once by abort(), so that a
 * debugger or a core file shows the place.
 */
#include "internal.h"
#include <dlfcn.h>
#include <execinfo.h>
#include <linux/sched.h>
#include <stdio.h>
#include <stdlib.h>

enum { STACK = 32, TEXT = 1024 };

static unsigned long warnings, failures;

/* From the frame that returns to there on; how many lie above it is the compiler's choice. */
static void show_stack(const void *there)
{
	void *pc[STACK];
	int n = backtrace(pc, STACK), first = 0;

	while (first < n && pc[first] != there)
		first++;
	_printk("Call Trace:\n");
	for (int i = first < n ? first : 0; i < n; i++)
		_printk(" %pS\n", pc[i]);
}

static void show_task(const char *kind, const char *where)
{
	struct task_struct *t = kmem_env_current();

	_printk("%s: CPU: %u PID: %d %s%s\n", kind, kmem_env_cpu(), t->pid, t->comm, where);
}

void dump_stack(void)
{
	show_task("dump_stack", "");
	show_stack(__builtin_return_address(0));
}

void kmem_env_warn(const char *file, int line, const char *fn, const char *fmt, ...)
{
	char where[TEXT], text[TEXT];
	va_list ap;

	__atomic_fetch_add(&warnings, 1, __ATOMIC_RELAXED);
	_printk("------------[ cut here ]------------\n");
	if (fmt) {
		va_start(ap, fmt);
		kmem_env_vsnprintf(text, sizeof(text), fmt, ap);
		va_end(ap);
		_printk("%s", text);
	}
	snprintf(where, sizeof(where), " at %s:%d %s()", file, line, fn);
	show_task("WARNING", where);
	show_stack(__builtin_return_address(0));
	_printk("---[ end trace ]---\n");
}

void kmem_env_bug(const char *file, int line, const char *fn)
{
	_printk("------------[ cut here ]------------\n");
	_printk("kernel BUG at %s:%d %s()!\n", file, line, fn);
	show_task("BUG", "");
	show_stack(__builtin_return_address(0));
	abort();
}

void panic(const char *fmt, ...)
{
	char text[TEXT];
	va_list ap;

	va_start(ap, fmt);
	kmem_env_vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	_printk("Kernel panic - not syncing: %s\n", text);
	show_task("panic", "");
	show_stack(__builtin_return_address(0));
	abort();
}

void __kmem_lockdep(const char *file, int line);
void __kmem_lockdep(const char *file, int line)
{
	kmem_env_warn(file, line, "lockdep_assert_held", "the lock is not held here\n");
}

void kmem_env_fail(const char *fmt, ...)
{
	char text[TEXT];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	__atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED);
	_printk("kmem-env: %s\n", text);
}

unsigned long kmem_env_warnings(void)
{
	return __atomic_load_n(&warnings, __ATOMIC_RELAXED);
}

unsigned long kmem_env_failures(void)
{
	return __atomic_load_n(&failures, __ATOMIC_RELAXED) + kmem_env_warnings();
}
