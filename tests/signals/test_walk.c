/* SPDX-License-Identifier: MIT */
/*
 * A handler walks the stack at every instruction of what it interrupts: the library's, and the C
 * library's below it. kmem_irq_enter() does that in checking builds, and so does any report.
 *
 * Seen by each walk: where the interruption was; and, where tables hold at each instruction (all but
 * i386), who started it all.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <ucontext.h>
#include <kmem/vmalloc.h>
#include "../support.h"
#include "sync/sync.h"

#if defined(__x86_64__)
#define REG_AT	    REG_RIP
#define flags_read  __builtin_ia32_readeflags_u64
#define flags_write __builtin_ia32_writeeflags_u64
enum { TABLES_AT_ALL = 1 };
#else
#define REG_AT	    REG_EIP
#define flags_read  __builtin_ia32_readeflags_u32
#define flags_write __builtin_ia32_writeeflags_u32
enum { TABLES_AT_ALL = 0 };
#endif

enum { TRAP_FLAG = 0x100, DEPTH = 64, PIECES = 16 };

static sigjmp_buf back;
static volatile sig_atomic_t walking;
static const void *outermost; /* NULL: it is the test that is interrupted */
static unsigned long walks, crashed, blind, short_of;
static const void *first_at; /* of a walk that went wrong */

static void wrong(unsigned long *n, const void *at)
{
	++*n;
	if (!first_at)
		first_at = at;
}

static bool has(void *const *pc, unsigned int n, const void *what)
{
	for (unsigned int i = 0; i < n; i++)
		if (pc[i] == what)
			return true;
	return false;
}

static void on_step(int sig, siginfo_t *si, void *uc)
{
	const void *at = (const void *)(uintptr_t)((ucontext_t *)uc)->uc_mcontext.gregs[REG_AT];
	void *pc[DEPTH];
	unsigned int n;

	(void)sig;
	(void)si;
	if (!outermost)
		return;
	walks++;
	walking = 1;
	if (sigsetjmp(back, 1) != 0) {
		wrong(&crashed, at);
	} else {
		n = port_backtrace(pc, DEPTH);
		if (!has(pc, n, at))
			wrong(&blind, at);
		if (TABLES_AT_ALL && !has(pc, n, outermost))
			wrong(&short_of, at);
	}
	walking = 0;
}

static void on_crash(int sig)
{
	if (!walking)
		signal(sig, SIG_DFL);
	else
		siglongjmp(back, 1);
}

static void stepping(bool on)
{
	uintptr_t flags = flags_read();

	flags_write(on ? flags | TRAP_FLAG : flags & ~(uintptr_t)TRAP_FLAG);
}

/* Hits and misses of both floors, and copies of many lengths. */
static void work(void)
{
	static const size_t sizes[] = {8, 100, 700, 2000, 5000, 20000};
	struct kmem_cache *c = kmem_cache_create("walked", 700, 0, 0, NULL);
	void *piece[PIECES], *area;

	for (unsigned int i = 0; i < PIECES; i++)
		piece[i] = kmem_cache_alloc(c, GFP_KERNEL);
	for (unsigned int i = 0; i < PIECES; i++)
		kmem_cache_free(c, piece[i]);
	kmem_cache_destroy(c);
	for (unsigned int i = 0; i < ARRAY_SIZE(sizes); i++) {
		char *p = kmalloc(sizes[i], GFP_KERNEL);

		p = krealloc(memset(p, 1, sizes[i]), sizes[i] * 2 + 9, GFP_KERNEL);
		memmove(p + 3, p, sizes[i] + 5);
		kfree(p);
	}
	for (unsigned int order = 0; order < 4; order++)
		__free_pages(alloc_pages(GFP_KERNEL, order), order);
	area = vmalloc(2 * PAGE_SIZE);
	vfree(area);
	kmem_drain();
}

static noinline void stepped(void)
{
	stepping(true);
	outermost = __builtin_return_address(0);
	work();
	outermost = NULL;
	stepping(false);
}

TEST(walks_at_every_instruction)
{
	struct sigaction step = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO};

	machine_start("mem=32M");
	sigaction(SIGTRAP, &step, NULL);
	signal(SIGSEGV, on_crash);
	stepped();
	diag("%lu walks; the first that went wrong: at %p", walks, first_at);
	ok(walks > 10000);
	is(crashed, 0, "walks that crashed");
	is(blind, 0, "walks that did not see where the interruption was");
	is(short_of, 0, "walks that did not reach the beginning");
	machine_stop();
}
