/* SPDX-License-Identifier: MIT */
/*
 * template: the other verbs, each refusing as its contract allows. Fill them in from top to bottom;
 * the tests of the floors need no more than the first group, port_log and port_panic.
 */
#include <kmem/port.h>
#include "../common/untooled.h"

struct port_task port_task_only;

/* ---- Memory --------------------------------------------------------------------------------- */

/* Bytes of memory the machine has if its command line names none. */
uint64_t port_mem_default(void)
{
	return 0;
}

/* Check the plan, find or reserve that much memory; -12 if there is less, -22 if it makes no sense.
 * After a refusal nothing is held. */
int port_start(const struct port_plan *plan)
{
	(void)plan;
	return -12;
}

void port_stop(void)
{
}

/* What the boot loader's map calls usable, without your kernel's image. Byte addresses, page-aligned,
 * ascending. */
unsigned int port_ranges(struct port_range *r, unsigned int max)
{
	(void)r;
	(void)max;
	return 0;
}

/* Where physical address 0 appears. Identity mapping: the answer is NULL, and that is fine. */
void *port_lowmem(void)
{
	return (void *)0;
}

/* NULL makes the core take its tables out of the usable ranges: the usual answer on bare metal. */
void *port_meta(size_t bytes, bool shared)
{
	(void)bytes;
	(void)shared;
	return (void *)0;
}

/* Memory that is simply there: return 0. Memory asked from a host or hypervisor: ask now. */
int port_commit(unsigned long pfn, unsigned long n)
{
	(void)pfn;
	(void)n;
	return -12;
}

/* Nothing on bare metal; a balloon driver gives the frames back here. */
void port_decommit(unsigned long pfn, unsigned long n)
{
	(void)pfn;
	(void)n;
}

/* No slots: no memory outside the direct map. Otherwise one page-table entry a slot. */
void *port_window_base(unsigned int *slots)
{
	*slots = 0;
	return (void *)0;
}

void *port_window_map(unsigned int slot, unsigned long pfn, unsigned int n)
{
	(void)slot;
	(void)pfn;
	(void)n;
	return (void *)0;
}

/* Clear the entries and flush them on every CPU, so that a stale pointer traps. */
void port_window_unmap(unsigned int slot, unsigned int n)
{
	(void)slot;
	(void)n;
}

/* A range of addresses nothing else uses, for vmalloc; NULL and 0: there is no such thing. */
void *port_vmap_base(size_t *bytes)
{
	*bytes = 0;
	return (void *)0;
}

/* With page tables a frame can be in many places. */
bool port_vmap_moves(void)
{
	return false;
}

int port_vmap(void *va, const unsigned long *pfn, unsigned int n, bool keep)
{
	(void)va;
	(void)pfn;
	(void)n;
	(void)keep;
	return -38;
}

void port_vunmap(void *va, const unsigned long *pfn, unsigned int n, bool keep)
{
	(void)va;
	(void)pfn;
	(void)n;
	(void)keep;
}

/* ---- CPUs, waiting, tasks ------------------------------------------------------------------- */

unsigned int port_ncpu(void)
{
	return 1;
}

/* With tasks: sleep until woken, or the time is over. Without: return at once; callers look again. */
void port_wait(uint32_t *word, uint32_t seen, uint64_t ns)
{
	(void)word;
	(void)seen;
	(void)ns;
}

void port_wake(uint32_t *word, unsigned int n)
{
	(void)word;
	(void)n;
}

/* Let another task run, or pause the CPU for an interrupt's length. */
void port_relax(void)
{
}

/* -38: there are no threads; call kmem_kswapd_run() from your idle loop. */
int port_spawn(void (*fn)(void *), void *arg, const char *name)
{
	(void)fn;
	(void)arg;
	(void)name;
	return -38;
}

/* Nothing, where a machine cannot be copied while it runs. */
void port_set_fork_hooks(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
	(void)prepare;
	(void)parent;
	(void)child;
}

/* Wait until the CPU has left its stack verb; with the portable stacks a barrier is enough. */
void port_fence_cpu(unsigned int cpu)
{
	(void)cpu;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

/* ---- The rest ------------------------------------------------------------------------------- */

/* Nanoseconds that never go back. A clock that stands still makes time-outs endless and lets each rate
 * limit print its burst once. */
uint64_t port_now_ns(void)
{
	return 0;
}

/* The best there is: a hardware generator, a jittery timer. A constant makes hardening predictable. */
uint64_t port_random64(void)
{
	return 0x9e3779b97f4a7c15u;
}

/* Serial line, console, ring in memory. From any context, so: no lock that is waited for. */
void port_log(int level, const char *text, size_t len)
{
	(void)level;
	(void)text;
	(void)len;
}

/* Print and stop the machine. */
void port_panic(const char *msg)
{
	(void)msg;
	for (;;)
		port_relax();
}

/* Walk the frame pointers, if you keep them. 0: reports have no stacks. */
unsigned int port_backtrace(void **pc, unsigned int max)
{
	(void)pc;
	(void)max;
	return 0;
}

const char *port_comm(void)
{
	return "kernel";
}

int port_pid(void)
{
	return 0;
}

/* The boot loader's command line, for kmem_boot(NULL). */
const char *port_cmdline(void)
{
	return (const char *)0;
}

/* True lets kstrdup_const hand the text itself out; false copies it and is always right. */
bool port_rodata(const void *p)
{
	(void)p;
	return false;
}

/* "symbol+0x10" if you carry a symbol table; else the address in hex, as here. Length as snprintf. */
size_t port_symbol(const void *pc, char *buf, size_t len)
{
	const size_t digits = 2 * sizeof(pc);
	size_t at = 0;

	for (; at < digits; at++) {
		unsigned int digit = (unsigned int)((uintptr_t)pc >> (4 * (digits - 1 - at))) & 15;

		if (at + 1 < len)
			buf[at] = "0123456789abcdef"[digit];
	}
	if (len > 0)
		buf[at < len ? at : len - 1] = '\0';
	return at;
}
