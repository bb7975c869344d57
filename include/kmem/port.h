/* SPDX-License-Identifier: MIT */
/*
 * The port contract: all the core asks of the place it runs in. This header is the specification;
 * docs/port.md walks through it, ports/template is an empty one to copy, and exactly one folder of
 * ports/ is on the include path of a build. The verbs marked inline live in that folder's
 * <port_inline.h>; the others in its .c files.
 *
 * Unless said otherwise a verb may be called from any context and must not call back into libkmem.
 */
#ifndef KMEM_PORT_H
#define KMEM_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- Memory --------------------------------------------------------------------------------- */

struct port_range {
	uint64_t start, end; /* bytes of physical address, page-aligned */
};

/* What the core asks for at boot. */
struct port_plan {
	uint64_t mem_bytes;    /* frames wanted, from physical address 0 */
	uint64_t lowmem_bytes; /* how much of it must be in the direct map, at most mem_bytes */
	unsigned int nr_cpus;  /* 0: the host's */
	uint64_t seed;	       /* for port_random64 where it must repeat; 0: the host's choice */
	bool huge_pages; /* advise huge pages for the direct map, where that means something */
};

/* Memory of a machine whose command line names none, in bytes. */
uint64_t port_mem_default(void);
/*
 * Reserves what the plan names: address space, not memory. 0, -12 (ENOMEM) or -22 (EINVAL); after
 * an error nothing is held. Task context, once before anything else.
 */
int port_start(const struct port_plan *plan);
/* Gives everything back. Task context; no other verb but port_start may follow. */
void port_stop(void);
/* Usable physical ranges, ascending, not overlapping. Returns how many (at most max). */
unsigned int port_ranges(struct port_range *r, unsigned int max);
/* Address of physical address 0 in the direct map. Constant between start and stop. */
void *port_lowmem(void);
/*
 * Zeroed memory for the core's own tables (frame descriptors, per-CPU areas), kept until port_stop;
 * lazily backed where that is possible. NULL: there is none, the core then takes it out of the
 * usable ranges. shared: the statistics, which others may read (posix: the memfd "kmem-stat").
 */
void *port_meta(size_t bytes, bool shared);
/*
 * A word for each of the PORT_OWNERS (port_inline.h; 0: no such table) frames from address 0 on: zeroes, those of the
 * direct map's to be written to, all to be read. With it a free asks neither where the direct map begins nor where
 * it ends. The direct map must be aligned to the largest block then. NULL: not this time, the core then has words of the
 * direct map's frames alone. Kept until port_stop.
 */
void **port_owners(void);
/*
 * Makes n frames from pfn on usable. 0: contents unknown; 1: they read as zero; -12: refused, and
 * nothing changed. Repeating it for backed frames is harmless and returns 0. HIGHMEM too.
 */
int port_commit(unsigned long pfn, unsigned long n);
/* The frames' contents are lost and their memory is the host's again. Cannot fail. */
void port_decommit(unsigned long pfn, unsigned long n);
/*
 * Windows onto frames outside the direct map: slots of one page each, slot i at i pages behind the
 * base. port_window_base says where, and how many: none, or at least 64. map shows n frames from pfn
 * on in the slots from slot on, whatever was there before, and returns the first one's address; NULL
 * if they are none of these frames, or the host refuses. An unmapped slot traps. The caller owns the
 * slots.
 */
void *port_window_base(unsigned int *slots);
void *port_window_map(unsigned int slot, unsigned long pfn, unsigned int n);
void port_window_unmap(unsigned int slot, unsigned int n);
/*
 * Contiguous addresses over scattered frames, of the direct map or not, in the range that
 * port_vmap_base names: the same from the first call to port_stop, and page-aligned; NULL and 0: there
 * is none. What is mapped nowhere in it traps. The range's first use may be what reserves it.
 *
 * port_vmap shows the n frames of pfn[] in a row from va on. keep: with the contents they have;
 * without it these may be lost. Below zero: -12 refused, -38 the port cannot, and nothing has changed
 * but contents. Else bits: PORT_VMAP_ZEROED, all of it reads as zero.
 *
 * port_vmap_moves: a frame of the direct map cannot be in two places. Then port_vmap takes it out of
 * there, and its own address must not be used (and traps, where that is possible) until port_vunmap
 * brings it back, with its contents if keep is set. A frame is in one such place at most. Frames
 * outside the direct map may be shown any number of times.
 *
 * port_vunmap gets what port_vmap got. It cannot fail.
 */
enum { PORT_VMAP_ZEROED = 1 };
void *port_vmap_base(size_t *bytes);
bool port_vmap_moves(void);
int port_vmap(void *va, const unsigned long *pfn, unsigned int n, bool keep);
void port_vunmap(void *va, const unsigned long *pfn, unsigned int n, bool keep);

/* ---- CPUs and tasks ------------------------------------------------------------------------- */

/* What the core keeps of the running task: zero at its birth, private to it. Its first 64 bytes are what
 * paths in a hurry look at. */
enum { PORT_ATOMIC_STACK = 16 };
struct port_task {
	uint32_t pf; /* PF_* of kmem.h */
	/* Zero: may sleep. The preempt count in the kernel's layout (8 bits preempt, 8 softirq, 4
	 * hardirq, 4 NMI), and above it what src/sync/context.c says. */
	uint32_t preempt;
	uint32_t crit;	    /* depth of port_irq_save sections on ports that cannot mask */
	uint32_t rcu;	    /* depth of RCU read sections, and its index in the top bit */
	int32_t fail_nth;   /* > 0: the n-th failable decision from now fails */
	uint32_t held;	    /* ranks of locks held, debug builds */
	uint32_t reclaimed; /* pages freed while it reclaims */
	uint32_t kmap;	    /* its kmap_local_page stack: depth, and the newest slot */
	uint32_t zone_hook; /* nonzero: inside a zone's populate or release */
	uint32_t word[3];
	uint8_t lock_class[7]; /* the user's locks it holds, as src/sync/lockdep.c numbers them */
	uint8_t in_reclaim;    /* in a pass for a request with __GFP_FS */
	/* Who made preempt nonzero: an address in the caller, and with atomic_stack=1 those of its
	 * callers; ends with 0, or where it is full. */
	uintptr_t atomic_stack[PORT_ATOMIC_STACK];
};

/* inline unsigned int port_cpu(void)              index of this CPU, below port_ncpu(); a hint
 *                                                 where tasks migrate */
unsigned int port_ncpu(void); /* upper bound of CPU indexes, constant after port_start */
/* inline struct port_task *port_task(void)
 * inline void port_task_set(uint32_t word)        its preempt, which nobody stores otherwise */

/* inline unsigned long port_irq_save(void)        exclude this CPU's asynchronous entry; nests.
 * inline void port_irq_restore(unsigned long f)   Where it cannot be excluded (posix signals) the
 *                                                 section is marked instead, and: */
/* inline bool port_in_section(void)               true if this code runs inside a section of the
 *                                                 very CPU or task it runs on. At an entry of the
 *                                                 library that means: an asynchronous handler has
 *                                                 interrupted a section, so nothing may be waited
 *                                                 for; only trylocks. Never true at an entry where
 *                                                 sections exclude asynchronous entry. */

enum port_context { PORT_TASK, PORT_SOFTIRQ, PORT_IRQ, PORT_NMI };
/* inline enum port_context port_context(void) */

/* inline void port_point(void)                    called before every access to shared memory; the
 *                                                 simulator's scheduling point, nothing elsewhere */

/* ---- Locks and waiting ---------------------------------------------------------------------- */

/* port_spin_t: 4 bytes, zero is free.
 * inline void port_spin_lock(port_spin_t *l)      acquire; no recursion; may sleep in the host
 * inline bool port_spin_trylock(port_spin_t *l)
 * inline void port_spin_unlock(port_spin_t *l)    release */
typedef struct {
	uint32_t word;
} port_spin_t;

/* Sleep while *word == seen, at most ns nanoseconds (UINT64_MAX: no limit). Task context. */
void port_wait(uint32_t *word, uint32_t seen, uint64_t ns);
void port_wake(uint32_t *word, unsigned int n); /* UINT32_MAX: all */
void port_relax(void);				/* let others run; task context */
/* 0, or -38 (ENOSYS). Task context, never in a signal handler. */
int port_spawn(void (*fn)(void *), void *arg, const char *name);
/*
 * Where a process can be copied: what to call before that, and after it on both sides. In the child
 * the port has made the shared port_meta() its own before it calls child. Threads of port_spawn are
 * not in the child. NULL: nothing. Ports without fork do nothing.
 */
void port_set_fork_hooks(void (*prepare)(void), void (*parent)(void), void (*child)(void));

/* ---- Per-CPU stacks ------------------------------------------------------------------------- */

/*
 * A sheaf is an array of pointers; a stack is one CPU's place for a sheaf. The stack at byte offset
 * off of CPU c's area is at kmem_percpu_base + c * kmem_percpu_stride + off. Before CPU 0's lies an area
 * that is nobody's, in which no stack is ever made (port_stack_init). Each verb happens
 * entirely or not at all, whatever interrupts it, and a verb that cannot happen now (because it
 * interrupted another one on the same stack) refuses, which the caller takes for an empty, or a
 * full, stack.
 *
 * Where a sheaf lies is part of the contract: in a block of sheaf_block(cap) bytes, a power of two to
 * which it is aligned and at most 4096, and its last slot ends where the block ends (sheaf_in()). So a
 * port may know from an address in a sheaf whether the sheaf is full. How many pointers a sheaf holds
 * while it is in a stack is the port's to know; to whoever holds the sheaf, n says it.
 *
 * inline int port_areas(unsigned nr, void **base, unsigned *shift)
 *                                                      the port's own areas for so many CPUs: CPU 0's, all
 *                                                      zeroed, nobody's before it, of 1 << shift bytes
 *                                                      each. Or *base is left alone: the core may lay them
 *                                                      anywhere. Or -12 (ENOMEM). Until port_stop()
 * PORT_AREA_STRIDE                                     kmem_percpu_stride, or what it is in these areas
 * inline void port_stack_layout(void)                  base and stride have changed, before any other
 *                                                      verb. No CPU is in one
 * inline void port_stack_init(uint32_t off, unsigned cpu, uint32_t cap)
 *                                                      then: a stack for sheaves of this capacity; 0:
 *                                                      for none, it refuses all
 * inline void *port_stack_pop(uint32_t off)            newest pointer of this CPU's sheaf, or NULL
 * inline bool port_stack_push(uint32_t off, void *p)   false: full, no sheaf, refused, or p is
 *                                                      the newest already (freed twice)
 * inline void *port_hit_pop(struct port_stack *first)
 * inline bool port_hit_push(struct port_stack *first, void *p)
 *                                                      the same for whoever tries the other way next:
 *                                                      these may refuse for no reason. first: CPU 0's
 *                                                      stack at the offset
 * inline void *port_task_pop(struct port_stack *first)
 * inline bool port_task_push(struct port_stack *first, void *p)
 *                                                      the same, and refused unless the task's word
 *                                                      (preempt) is zero; a task's first ones may be
 *                                                      refused until it was set
 * inline size_t port_hit_pop_many(struct port_stack *first, void **out, size_t nr)
 * inline size_t port_hit_push_many(struct port_stack *first, void *const *in, size_t nr)
 *                                                      the same nr times (at least 1), until one is
 *                                                      refused; how many were not
 * inline bool port_hit_never(void)                     do these refuse always?
 * inline struct sheaf *port_stack_take(uint32_t off, unsigned cpu)
 *                                                      takes the sheaf out of a CPU's stack; NULL:
 *                                                      there is none, or refused. The caller owns it
 * inline bool port_stack_put(uint32_t off, unsigned cpu, struct sheaf *s)
 *                                                      gives a sheaf to a stack that has none;
 *                                                      false: it has one, or refused
 * inline struct sheaf *port_stack_drain(uint32_t off, unsigned cpu)
 *                                                      as take, but waits for a verb in progress:
 *                                                      NULL only if there is none. Task context
 * inline const struct sheaf *port_stack_peek(uint32_t off, unsigned cpu, uint32_t *n)
 *                                                      the sheaf in a stack, or NULL, and how many
 *                                                      pointers it held just now
 * inline void port_stack_freeze(uint32_t off, unsigned cpu)
 * inline bool port_stack_frozen(uint32_t off, unsigned cpu)
 * inline void port_stack_thaw(uint32_t off, unsigned cpu)
 *                                                      around fork: a stack was frozen, then
 *                                                      port_fence_cpu(cpu). frozen: from now on no
 *                                                      verb happens on it until it is thawed; false:
 *                                                      one did meanwhile, fence and ask again. Task
 *                                                      context
 */
struct sheaf {
	uint32_t n;   /* pointers held */
	uint32_t cap; /* pointers it can hold */
	struct sheaf *next;
	void *slot[];
};
struct port_stack {
	size_t top;    /* where the newest pointer's slot is; the portable version's: always 0 */
	uint32_t busy; /* a trylock: the portable version's; others: who takes a sheaf from afar */
	uint32_t mask; /* others: of an address in a sheaf's block */
	uint32_t cap;
	union {
		struct sheaf *sheaf; /* the portable version's */
		size_t held;	     /* others: what a frozen stack gets back */
	};
};
static inline size_t sheaf_block(uint32_t cap)
{
	size_t need = sizeof(struct sheaf) + cap * sizeof(void *), block = 4 * sizeof(void *);

	while (block < need)
		block *= 2;
	return block;
}
/* The place of a sheaf in its block. */
static inline struct sheaf *sheaf_in(void *block, uint32_t cap)
{
	void **end = (void **)(void *)((char *)block + sheaf_block(cap));

	return (struct sheaf *)(void *)((char *)(end - cap) - offsetof(struct sheaf, slot));
}
extern unsigned char *kmem_percpu_base __attribute__((visibility("hidden")));
extern size_t kmem_percpu_stride __attribute__((visibility("hidden")));
/* On return no CPU is inside a stack verb begun before. */
void port_fence_cpu(unsigned int cpu);
/*
 * Counters of each CPU, stride bytes from one CPU's to the next; first: that of CPU 0. There is one
 * more than there are CPUs, behind the last, for tasks that run where the machine has no CPU of its
 * own. Nobody else writes them, and whatever interrupts, no addition is lost.
 *
 * inline bool port_hit_count(uint64_t *first, size_t stride, uint64_t n)
 *                                                      adds n to the running CPU's; false: nothing
 *                                                      has happened, and the next must be asked
 * inline void port_count_slow(uint64_t *first, size_t stride, uint64_t n)
 */

/* ---- The rest ------------------------------------------------------------------------------- */

uint64_t port_now_ns(void); /* monotonic */
uint64_t port_random64(void);
void port_log(int level, const char *text, size_t len);
void port_panic(const char *msg) __attribute__((noreturn));
/* Return addresses of the callers, nearest first; returns how many. */
unsigned int port_backtrace(void **pc, unsigned int max);
/* Name of the running task, for reports ("comm"), and its number. */
const char *port_comm(void);
int port_pid(void);
/* The environment's command line for kmem_boot(NULL), or NULL. */
const char *port_cmdline(void);
/* Is the text in read-only memory of the program (kstrdup_const)? */
bool port_rodata(const void *p);
/*
 * Where a program is run to have each of its requests failed in turn, who decides that: called in
 * the requesting task, with no lock held, for every request that may fail; true: it does. It may copy
 * the process and return in each. NULL: nobody wants that. Asked for at each start. At the end of a
 * machine port_fault_end tells what it found: objects and blocks not given back, misuses.
 */
typedef bool (*port_fault_fn)(void);
port_fault_fn port_fault(void);
void port_fault_end(unsigned long leaks, unsigned long misuses);
/*
 * Tools that look at each access to memory, where the program runs under one. port_watch_start asks,
 * with the function that a tool's report may call for an address; only where it says true are the
 * others called. hide: nobody may touch these bytes. show: anybody may; defined: and read them. A slab
 * is hidden whole, and its objects are shown and hidden one by one until it ends and is shown. A call
 * of them may come from any context with no lock held.
 */
bool port_watch_start(void (*describe)(const void *addr));
void port_watch_hide(const void *p, size_t n);
void port_watch_show(const void *p, size_t n, bool defined);
void port_watch_slab(const void *base, size_t n, const char *name);
void port_watch_slab_end(const void *base, size_t n);
void port_watch_object(const void *base, const void *obj, size_t n, bool defined);
void port_watch_object_free(const void *base, const void *obj, size_t n);
/* Copies what a report may print of a code address ("symbol+0x10") into buf; as snprintf. */
size_t port_symbol(const void *pc, char *buf, size_t len);

#include <port_inline.h>
#ifndef PORT_OWNERS
#define PORT_OWNERS 0
#endif

#endif
