/* SPDX-License-Identifier: MIT */
/*
 * The engine: steps a victim, puts the state of the machine aside at each boundary and back after
 * each run. step.h says what for.
 *
 *	START int3 -> at boundary 0
 *	at a boundary: save; for each shape: { shape, go on without the trap flag, END int3, judge,
 *		restore }; then one step with the trap flag, to the next boundary
 *	END int3 while stepping: all boundaries are done
 *
 * Put aside are: the program's static data, the tables the core got from port_meta(), the per-CPU areas, the task's
 * word, the victim's stack, its registers with the vector unit's, and those frames of the arena
 * whose contents mean something (slabs, and the first page of blocks). Pages of tables that were
 * not touched by the rehearsal must stay untouched: looked at in the end.
 *
 * The engine's own memory is a mapping apart, and its handlers run on a stack in it.
 *
 * A restartable sequence cannot be stepped: each trap aborts it, which is what a signal inside it does
 * as well, so to a handler it has one boundary, the one before it. The program is stepped with the
 * trylocks in their place; tests/stacks has signals in the sequences.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>
#include "world.h"
#include "phys/internal.h"
#include "one_cpu.h"

/* The C library decides it when a program starts. */
__attribute__((constructor)) static void without_sequences(int argc, char **argv)
{
	(void)argc;
	if (__rseq_size == 0)
		return;
	setenv("GLIBC_TUNABLES", "glibc.pthread.rseq=0", 1);
	execv("/proc/self/exe", argv);
	abort();
}

#if defined(__x86_64__)
#define REG_AT	  REG_RIP
#define REG_STACK REG_RSP
#else
#define REG_AT	  REG_EIP
#define REG_STACK REG_ESP
#endif

enum {
	RED_ZONE = 128,
	TICKS_MOST = 40, /* of 100 ms of CPU time without an end of a run */
};

struct world *w;

extern char __executable_start[], etext[], __data_start[], _end[];

/* ---- What is watched of the port ---------------------------------------------------------------- */

void __real_port_spin_lock_slow(port_spin_t *l);
void __wrap_port_spin_lock_slow(port_spin_t *l);
void __wrap_port_spin_lock_slow(port_spin_t *l)
{
	if (w)
		step_finding("waits for a lock that only it can release");
	__real_port_spin_lock_slow(l);
}

int __real_port_spawn(void (*fn)(void *), void *arg, const char *name);
int __wrap_port_spawn(void (*fn)(void *), void *arg, const char *name);
int __wrap_port_spawn(void (*fn)(void *), void *arg, const char *name)
{
	if (w && w->urgent)
		step_finding("makes a thread, which takes the host's locks");
	return w ? -38 : __real_port_spawn(fn, arg, name);
}

void *__real_port_meta(size_t bytes, bool shared);
void *__wrap_port_meta(size_t bytes, bool shared);
void *__wrap_port_meta(size_t bytes, bool shared)
{
	void *p = __real_port_meta(bytes, shared);

	if (w && p && w->nr_meta < 64)
		w->meta[w->nr_meta++] =
			(struct region){.at = p, .bytes = align_up(bytes, PAGE_SIZE)};
	return p;
}

/* The areas, with nobody's, unless they are such a table. */
static void areas_note(void)
{
	unsigned char *at = kmem_percpu_base - kmem_percpu_stride;

	for (unsigned int i = 0; i < w->nr_meta; i++) {
		if (w->meta[i].at == at)
			return;
	}
	w->meta[w->nr_meta++] =
		(struct region){.at = at, .bytes = (kmem_machine.nr_cpus + 1) * kmem_percpu_stride};
}

/* What each window shows is the host's state: put aside and back here. Noted before it is so, so that
 * a run put back in between does what is left to do over again. */
void *__real_port_window_map(unsigned int slot, unsigned long pfn, unsigned int n);
void *__wrap_port_window_map(unsigned int slot, unsigned long pfn, unsigned int n);
void *__wrap_port_window_map(unsigned int slot, unsigned long pfn, unsigned int n)
{
	for (unsigned int i = 0; w && i < n && slot + i < WINDOWS_MOST; i++)
		w->shown[slot + i] = pfn + i + 1;
	return __real_port_window_map(slot, pfn, n);
}

void __real_port_window_unmap(unsigned int slot, unsigned int n);
void __wrap_port_window_unmap(unsigned int slot, unsigned int n);
void __wrap_port_window_unmap(unsigned int slot, unsigned int n)
{
	for (unsigned int i = 0; w && i < n && slot + i < WINDOWS_MOST; i++)
		w->shown[slot + i] = 0;
	__real_port_window_unmap(slot, n);
}

/* ---- Findings ------------------------------------------------------------------------------------ */

void step_finding(const char *fmt, ...)
{
	char *text = w->result.finding;
	va_list ap;
	int n;

	if (w->result.found)
		_exit(3);
	w->result.found = true;
	n = snprintf(text, STEP_TEXT,
		     "%s, boundary %llu (+%#lx), %s: ", w->victim ? w->victim->name : "setup",
		     (unsigned long long)w->k, (unsigned long)(w->rip - w->text),
		     w->phase == RUNNING ? shapes[w->shape].name : "no shape");
	va_start(ap, fmt);
	vsnprintf(text + n, (size_t)(STEP_TEXT - n), fmt, ap);
	va_end(ap);
	_exit(3);
}

static void on_log(int level, const char *text, size_t len, void *arg)
{
	(void)level;
	(void)arg;
	step_finding("report: %.*s", (int)(len > 200 ? 200 : len), text);
}

static void on_crash(int sig, siginfo_t *si, void *uc)
{
	(void)uc;
	step_finding("killed by signal %d, address %p", sig, sig == SIGSEGV ? si->si_addr : NULL);
}

static void on_tick(int sig)
{
	uint64_t now = w->result.runs + w->result.steps;

	(void)sig;
	if (now != w->marked_runs) {
		w->marked_runs = now;
		w->idle_ticks = 0;
	} else if (++w->idle_ticks > TICKS_MOST) {
		step_finding("hangs");
	}
}

/* ---- Aside and back ------------------------------------------------------------------------------- */

static size_t vector_bytes(const void *fp)
{
	const unsigned char *fx = (const unsigned char *)fp + (sizeof(void *) == 4 ? 112 : 0);
	u32 magic, size = 512 + (sizeof(void *) == 4 ? 112 : 0);

	memcpy(&magic, fx + 464, 4);
	if (magic == 0x46505853) /* FP_XSTATE_MAGIC1: the kernel's own words on the size */
		memcpy(&size, fx + 468, 4);
	return size < VECTOR_MOST ? size : VECTOR_MOST;
}

static void region_add(void *at, size_t bytes)
{
	struct region *r = &w->region[w->nr_regions];

	if (w->nr_regions == REGIONS_MOST)
		step_finding("too many regions");
	*r = (struct region){.at = at, .bytes = bytes, .copy = w->save_next};
	w->save_next += align_up(bytes, 64);
	w->nr_regions++;
}

/* The pages of a table that are there, in stretches; with add; else their number. */
static unsigned int pages_touched(const struct region *m, bool add)
{
	static unsigned char in[4096];
	unsigned int nr = 0;

	for (size_t page = 0; page < m->bytes >> PAGE_SHIFT; page += sizeof(in)) {
		size_t n = size_min((m->bytes >> PAGE_SHIFT) - page, sizeof(in));

		if (mincore(m->at + (page << PAGE_SHIFT), n << PAGE_SHIFT, in) != 0)
			step_finding("mincore");
		for (size_t i = 0; i < n; i++) {
			size_t from = i;

			while (i < n && in[i] & 1)
				i++;
			nr += (unsigned int)(i - from);
			if (add && i > from)
				region_add(m->at + ((page + from) << PAGE_SHIFT),
					   (i - from) << PAGE_SHIFT);
		}
	}
	return nr;
}

static unsigned int tables_touched(bool add)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < w->nr_meta; i++)
		nr += pages_touched(&w->meta[i], add);
	return nr;
}

static bool frame_matters(const struct page *page)
{
	return page->flags & PAGE_IN_SLAB || page->state == PAGE_ALLOC || page->state == PAGE_LARGE;
}

/* What of the victim's stack is in use, with the zone below that leaf functions may. */
static unsigned char *stack_in_use(const struct context *at)
{
	uintptr_t sp = (uintptr_t)at->gregs[REG_STACK] - RED_ZONE;

	if (sp < (uintptr_t)w->op_stack || sp >= (uintptr_t)w->op_stack + STACK_BYTES)
		step_finding("the victim has left its stack");
	return (unsigned char *)sp;
}

static void stack_copy(bool aside)
{
	unsigned char *from = stack_in_use(&w->at);
	size_t off = (size_t)(from - w->op_stack);

	if (aside)
		memcpy(w->op_stack_copy + off, from, STACK_BYTES - off);
	else
		memcpy(from, w->op_stack_copy + off, STACK_BYTES - off);
}

static void windows_restore(void)
{
	for (unsigned int slot = 0; slot < WINDOWS_MOST; slot++) {
		unsigned long was = w->shown_copy[slot];

		if (w->shown[slot] == was)
			continue;
		if (was)
			__real_port_window_map(slot, was - 1, 1);
		else
			__real_port_window_unmap(slot, 1);
		w->shown[slot] = was;
	}
}

static void state_save(void)
{
	unsigned char *to = w->save_next;

	stack_copy(true);
	memcpy(w->shown_copy, w->shown, sizeof(w->shown));
	for (unsigned int i = 0; i < w->nr_regions; i++)
		memcpy(w->region[i].copy, w->region[i].at, w->region[i].bytes);
	w->nr_frames = 0;
	for (pfn_t pfn = 0; pfn < kmem_machine.low_end; pfn++) {
		if (!frame_matters(page_of_pfn(pfn)))
			continue;
		if (w->nr_frames == FRAMES_MOST)
			step_finding("too many frames");
		w->frame[w->nr_frames++] = (u32)pfn;
		memcpy(to, kmem_machine.lowmem + (pfn << PAGE_SHIFT), PAGE_SIZE);
		to += PAGE_SIZE;
	}
	w->task = *port_task();
}

static void state_restore(void)
{
	const unsigned char *from = w->save_next;

	stack_copy(false);
	windows_restore();
	for (unsigned int i = 0; i < w->nr_regions; i++)
		memcpy(w->region[i].at, w->region[i].copy, w->region[i].bytes);
	for (unsigned int i = 0; i < w->nr_frames; i++, from += PAGE_SIZE)
		memcpy(kmem_machine.lowmem + ((size_t)w->frame[i] << PAGE_SHIFT), from, PAGE_SIZE);
	*port_task() = w->task;
}

static void context_save(const ucontext_t *uc)
{
	memcpy(w->at.gregs, uc->uc_mcontext.gregs, sizeof(gregset_t));
	memcpy(w->at.vector, uc->uc_mcontext.fpregs, vector_bytes(uc->uc_mcontext.fpregs));
}

static void context_restore(ucontext_t *uc)
{
	memcpy(uc->uc_mcontext.gregs, w->at.gregs, sizeof(gregset_t));
	memcpy(uc->uc_mcontext.fpregs, w->at.vector, vector_bytes(w->at.vector));
}

/* ---- Stepping --------------------------------------------------------------------------------------- */

enum { TRAP_FLAG = 0x100 };
#define trap_here() __asm__ volatile("int3" ::: "memory")

/* False: this address has been interrupted often enough. */
static bool first_visits(void)
{
	unsigned char *n;

	if (!w->plan.visits || w->rip < w->text || w->rip >= w->text_end)
		return true;
	n = &w->visits[w->rip - w->text];
	if (*n >= w->plan.visits)
		return false;
	(*n)++;
	return true;
}

static void shapes_choose(void)
{
	unsigned int n = w->plan.shapes ? w->plan.shapes : nr_shapes;

	w->left = n < nr_shapes ? n : nr_shapes;
	/* Neighbouring boundaries get different shapes; every one gets its turn. */
	w->first = (unsigned int)((w->plan.seed + w->k * 7) % nr_shapes);
	if (!first_visits())
		w->left = 0;
}

static void shape_run(unsigned int i)
{
	w->urgent = true;
	shapes[i].fn();
	w->urgent = false;
}

/* Runs the next shape at this boundary; the victim then goes on without the trap flag. */
static void shape_next(ucontext_t *uc)
{
	w->shape = w->first;
	w->first = (w->first + 1) % nr_shapes;
	w->left--;
	w->phase = RUNNING;
	w->result.runs++;
	shape_run(w->shape);
	uc->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
}

static void boundary(ucontext_t *uc)
{
	uintptr_t at = (uintptr_t)uc->uc_mcontext.gregs[REG_AT];

	w->rip = at;
	if (at >= w->text && at < w->text_end) {
		w->result.rips += !w->seen[at - w->text];
		w->seen[at - w->text] = 1;
	}
	shapes_choose();
	w->result.boundaries += w->left != 0;
	w->phase = STEPPING;
	uc->uc_mcontext.gregs[REG_EFL] |= TRAP_FLAG;
	if (w->left) {
		context_save(uc);
		state_save();
		shape_next(uc);
	}
}

static void run_ended(ucontext_t *uc)
{
	judge();
	state_restore();
	context_restore(uc);
	if (w->left) {
		shape_next(uc);
		return;
	}
	w->phase = STEPPING;
	uc->uc_mcontext.gregs[REG_EFL] |= TRAP_FLAG;
}

static void on_trap(int sig, siginfo_t *si, void *context)
{
	ucontext_t *uc = context;
	bool breakpoint = si->si_code == SI_KERNEL;

	(void)sig;
	if (w->phase == OUTSIDE) {
		w->k = 0;
		boundary(uc);
	} else if (w->phase == RUNNING) {
		run_ended(uc);
	} else if (!breakpoint) {
		w->result.steps++;
		w->k++;
		boundary(uc);
	} else {
		w->phase = OUTSIDE;
	}
}

static void op_main(void)
{
	trap_here();
	w->victim->run();
	trap_here();
}

/* ---- A process for each victim -------------------------------------------------------------------- */

static void handlers_set(void)
{
	static const int crashes[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
	struct sigaction sa = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO | SA_ONSTACK};
	struct itimerval every = {{0, 100000}, {0, 100000}};
	stack_t stack = {.ss_sp = w->trap_stack, .ss_size = STACK_BYTES};

	sigaltstack(&stack, NULL);
	sigaction(SIGTRAP, &sa, NULL);
	sa.sa_sigaction = on_crash;
	for (unsigned int i = 0; i < ARRAY_SIZE(crashes); i++)
		sigaction(crashes[i], &sa, NULL);
	sa.sa_flags = SA_ONSTACK | SA_RESTART;
	sa.sa_handler = on_tick;
	sigaction(SIGPROF, &sa, NULL);
	setitimer(ITIMER_PROF, &every, NULL);
}

static void construct(void *obj)
{
	memset(obj, STEP_CTOR_BYTE, 16);
}

static void machine_up(void)
{
	int err;

	kmem_set_log(on_log, NULL);
	err = kmem_boot(w->victim->cmdline);
	if (err)
		step_finding("boot \"%s\": %d", w->victim->cmdline, err);
	areas_note();
	s.cache = kmem_cache_create("step", 1500, 0, 0, NULL);
	s.ctor = kmem_cache_create("step-ctor", 2100, 0, 0, construct);
	s.debug = kmem_cache_create("step-debug", 400, 0, SLAB_RED_ZONE | SLAB_POISON, NULL);
	s.rcu = kmem_cache_create("step-rcu", 900, 0, SLAB_TYPESAFE_BY_RCU, NULL);
	if (!s.cache || !s.ctor || !s.debug || !s.rcu)
		step_finding("the caches");
	for (unsigned int i = 0; i < HIGHS; i++)
		s.high[i] = alloc_page(GFP_HIGHUSER);
}

/* What handlers will give back: the same kinds as the victim's, allocated by the task. */
static void gifts_make(void)
{
	for (unsigned int i = 0; i < GIFTS; i++) {
		own(&s.handler, OF_KMALLOC, kmalloc(1200, GFP_KERNEL), 1200);
		own(&s.handler, OF_CACHE, kmem_cache_alloc(s.cache, GFP_KERNEL), 1500);
	}
	for (unsigned int i = 0; i < 4; i++)
		own(&s.handler, OF_PAGE, alloc_page(GFP_KERNEL), PAGE_SIZE);
	own(&s.handler, OF_PAGE, alloc_pages(GFP_KERNEL, 4), PAGE_SIZE << 4);
	own(&s.handler, OF_RCU, kmem_cache_alloc(s.rcu, GFP_KERNEL), 900);
	own(&s.handler, OF_FACE, face_malloc(5 * PAGE_SIZE), 5 * PAGE_SIZE);
	own(&s.handler, OF_FACE, face_malloc(1300), 1300);
	s.pool = mempool_create_kmalloc_pool(POOL_MIN, 700);
	if (!s.pool)
		step_finding("the pool");
	own(&s.handler, OF_POOL, mempool_alloc(s.pool, GFP_KERNEL), 700);
}

/* Small tables are all there from now on, so that none grows later. */
static void tables_touch(void)
{
	for (unsigned int i = 0; i < w->nr_meta; i++) {
		volatile unsigned char *p = w->meta[i].at;

		for (size_t at = 0; w->meta[i].bytes <= TABLE_SMALL && at < w->meta[i].bytes;
		     at += PAGE_SIZE)
			p[at] = p[at];
	}
}

/* Once with each shape before, without a signal: touches all tables, and says what must be left. */
static void rehearse(void)
{
	for (unsigned int i = 0; i < nr_shapes; i++) {
		memset(&s.task, 0, sizeof(s.task));
		gifts_make();
		w->victim->prepare();
		shape_run(i);
		w->victim->run();
		judge();
		w->pages_used = pages_in_use();
	}
	/* All frames have had an owner: whether one reads as zero is always known to be unknown. */
	for (pfn_t pfn = 0; pfn < kmem_machine.low_end; pfn++)
		frames_soil(pfn, 1);
}

static void run_victim(void)
{
	unsigned int touched;

	stay_on_this_cpu();
	handlers_set();
	machine_up();
	tables_touch();
	rehearse();
	w->result.refused = 0;
	memset(w->result.refused_of, 0, sizeof(w->result.refused_of));
	w->save_next = w->save;
	region_add(__data_start, (size_t)(_end - __data_start));
	touched = tables_touched(true);
	gifts_make();
	w->victim->prepare();
	getcontext(&w->op);
	w->op.uc_stack.ss_sp = w->op_stack;
	w->op.uc_stack.ss_size = STACK_BYTES;
	w->op.uc_link = &w->main;
	makecontext(&w->op, op_main, 0);
	swapcontext(&w->main, &w->op);
	if (tables_touched(false) != touched)
		step_finding("a table grew by pages that were not put aside");
}

static void rips_write(void)
{
	int fd = open(w->plan.rips_path, O_WRONLY | O_CREAT | O_APPEND, 0644);

	for (uintptr_t at = w->text; fd >= 0 && at < w->text_end; at++)
		if (w->seen[at - w->text])
			dprintf(fd, "%lx\n", (unsigned long)(at - w->text));
	if (fd >= 0)
		close(fd);
}

static void *map(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static bool world_make(void)
{
	size_t text = (size_t)(etext - __executable_start);

	if (w)
		return true;
	w = map(sizeof(*w));
	if (!w)
		return false;
	w->text = (uintptr_t)__executable_start;
	w->text_end = (uintptr_t)etext;
	w->seen = map(text);
	w->visits = map(text);
	w->save = map(SAVE_BYTES);
	w->owned = map(1 << 20);
	return w->seen && w->visits && w->save && w->owned;
}

bool step_victim(unsigned int victim, const struct step_plan *plan, struct step_result *r)
{
	int status = 0;
	pid_t pid;

	if (!world_make())
		return false;
	w->victim = &victims[victim];
	w->plan = *plan;
	w->phase = OUTSIDE;
	w->nr_meta = 0;
	w->nr_regions = 0;
	w->k = 0;
	w->idle_ticks = 0;
	w->pages_used = 0;
	memset(w->shown, 0, sizeof(w->shown));
	memset(w->visits, 0, w->text_end - w->text);
	w->result = (struct step_result){.rips = w->result.rips};
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		run_victim();
		_exit(0);
	}
	waitpid(pid, &status, 0);
	if (status && !w->result.found) {
		snprintf(w->result.finding, STEP_TEXT, "%s: ended with status %#x", w->victim->name,
			 status);
		w->result.found = true;
	}
	if (plan->rips_path)
		rips_write();
	*r = w->result;
	return !r->found;
}

unsigned int step_nr_victims(void)
{
	return nr_victims;
}

const char *step_victim_name(unsigned int victim)
{
	return victims[victim].name;
}

const char *step_victim_group(unsigned int victim)
{
	return victims[victim].group;
}

unsigned int step_nr_shapes(void)
{
	return nr_shapes;
}

const char *step_shape_name(unsigned int shape)
{
	return shapes[shape].name;
}
