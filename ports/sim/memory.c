/* SPDX-License-Identifier: MIT */
/*
 * Memory of the simulator, at the same addresses in every process:
 *
 *	world | stacks, each above a guard | commit map | tables (port_meta) | vmap | windows | RAM | low
 *
 * All frames are one memory file, mapped twice: whole at RAM, which is the simulator's own view, and
 * up to the end of the direct map at low, which is what port_lowmem() names. Windows and vmap show
 * pages of the same file.
 *
 * A child of fork gets a file of its own when it begins a world: what a sibling that crashed has left in
 * the one they share is none of its business.
 *
 * A reset clears the pages that are resident and leaves the mappings, so that it costs microseconds.
 * A frame that is not backed reads as zero; whoever wrote to one is found out when it is committed,
 * or at port_stop.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "engine.h"

enum {
	PAGE = 4096,
	RAM_DEFAULT = 8 << 20,
	DIRTY_BYTE = 0xa5,
	STACK_STRIDE = SIM_STACK_BYTES + SIM_STACK_GUARD,
};

/* Sizes by the width of a pointer: 32-bit programs have less room. */
#define WIDE (sizeof(void *) == 8)
static const uint64_t place = WIDE ? 0x200000000000ull : 0x70000000ull;
static const uint64_t world_bytes = 1 << 20;
static const uint64_t stacks_bytes = (uint64_t)SIM_MAX_TASKS * STACK_STRIDE;
static const uint64_t meta_bytes = WIDE ? 512ull << 20 : 48ull << 20;
static const uint64_t vmap_bytes = WIDE ? 256ull << 20 : 32ull << 20;
static const uint64_t ram_bytes = WIDE ? 4096ull << 20 : 128ull << 20;

#define WORLD_AT  (place)
#define STACKS_AT (WORLD_AT + (WIDE ? 16ull << 20 : 1ull << 20))
#define COMMIT_AT (STACKS_AT + (WIDE ? 48ull << 20 : 31ull << 20))
#define META_AT	  (COMMIT_AT + (1ull << 20))
#define VMAP_AT	  (META_AT + meta_bytes)
#define WINDOW_AT (VMAP_AT + vmap_bytes)
#define RAM_AT	  (place + (WIDE ? 4096ull << 20 : 128ull << 20))
#define LOW_AT	  (RAM_AT + ram_bytes)

#define AT(n) ((void *)(uintptr_t)(n))
struct sim_world *const sim_world = AT(WIDE ? 0x200000000000ull : 0x70000000ull);
unsigned char *const sim_commit_map =
	AT(WIDE ? 0x200000000000ull + (64ull << 20) : 0x70000000ull + (32ull << 20));

_Static_assert(sizeof(struct sim_world) <= 1 << 20, "the world fits its place");
_Static_assert(SIM_MAX_TASKS *STACK_STRIDE <= 31 << 20, "the stacks fit theirs");

static int ram_fd = -1;
static pid_t ram_owner;
static unsigned char *resident; /* a byte for each page of the largest region */

static void die(const char *what)
{
	fprintf(stderr, "simulator: %s: %s\n", what, strerror(errno));
	_exit(3);
}

/* Not all hosts know MAP_FIXED_NOREPLACE; those take it as a hint. */
static void map_at(uint64_t at, uint64_t bytes, int prot, int fd)
{
	int flags = MAP_NORESERVE | MAP_FIXED_NOREPLACE |
		    (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED);
	void *p = mmap(AT(at), (size_t)bytes, prot, flags, fd, 0);

	if (p == MAP_FAILED || p != AT(at))
		die("cannot map the simulator's memory at its address");
}

static void ram_make(void)
{
	ram_fd = memfd_create("kmem-sim", MFD_CLOEXEC);
	if (ram_fd < 0 || ftruncate(ram_fd, (off_t)ram_bytes) != 0)
		die("memfd_create");
	ram_owner = getpid();
}

void sim_memory_init(void)
{
	if (ram_fd >= 0)
		return;
	ram_make();
	resident = malloc((size_t)(ram_bytes / PAGE));
	if (!resident)
		die("malloc");
	map_at(WORLD_AT, world_bytes, PROT_READ | PROT_WRITE, -1);
	map_at(STACKS_AT, stacks_bytes, PROT_READ | PROT_WRITE, -1);
	for (unsigned int i = 0; i < SIM_MAX_TASKS; i++)
		mprotect(AT(STACKS_AT + (uint64_t)i * STACK_STRIDE), SIM_STACK_GUARD, PROT_NONE);
	map_at(COMMIT_AT, 1 << 20, PROT_READ | PROT_WRITE, -1);
	map_at(META_AT, meta_bytes, PROT_READ | PROT_WRITE, -1);
	map_at(VMAP_AT, vmap_bytes, PROT_NONE, -1);
	map_at(WINDOW_AT, (uint64_t)SIM_WINDOW_SLOTS * PAGE, PROT_NONE, -1);
	map_at(RAM_AT, ram_bytes, PROT_READ | PROT_WRITE, ram_fd);
	map_at(LOW_AT, ram_bytes, PROT_NONE, -1);
}

void *sim_stack_of(unsigned int task)
{
	return AT(STACKS_AT + (uint64_t)task * STACK_STRIDE + SIM_STACK_GUARD);
}

void sim_regions(struct sim_region r[SIM_REGIONS])
{
	r[REGION_WORLD] = (struct sim_region){AT(WORLD_AT),
					      (sizeof(struct sim_world) + PAGE - 1) / PAGE * PAGE};
	r[REGION_COMMIT] = (struct sim_region){
		AT(COMMIT_AT), (size_t)(sim_engine->ram_most / PAGE / 8 / PAGE + 1) * PAGE};
	r[REGION_META] = (struct sim_region){AT(META_AT), (size_t)sim_engine->meta_most};
	r[REGION_RAM] = (struct sim_region){AT(RAM_AT), (size_t)sim_engine->ram_most};
}

unsigned char *sim_resident(const struct sim_region *r)
{
	if (r->bytes && mincore(r->base, r->bytes, resident) != 0)
		die("mincore");
	return resident;
}

static void region_clear(const struct sim_region *r)
{
	const unsigned char *there = sim_resident(r);

	for (size_t i = 0; i < r->bytes / PAGE; i++) {
		if (there[i] & 1)
			memset(r->base + i * PAGE, 0, PAGE);
	}
}

static void unmap_at(uint64_t at, uint64_t bytes)
{
	if (mmap(AT(at), (size_t)bytes, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) == MAP_FAILED)
		die("mmap");
}

static bool show(uint64_t at, uint64_t pfn, uint64_t pages)
{
	return mmap(AT(at), (size_t)(pages * PAGE), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED,
		    ram_fd, (off_t)(pfn * PAGE)) != MAP_FAILED;
}

static void window_set(unsigned int slot, uint32_t frame)
{
	uint64_t at = WINDOW_AT + (uint64_t)slot * PAGE;

	if (!frame)
		unmap_at(at, PAGE);
	else if (!show(at, frame - 1, 1))
		die("mmap");
	sim_world->window[slot] = frame;
	sim_engine->window_shown[slot] = frame;
}

void sim_windows_restore(void)
{
	for (unsigned int i = 0; i < SIM_WINDOW_SLOTS; i++) {
		if (sim_engine->window_shown[i] != sim_world->window[i])
			window_set(i, sim_world->window[i]);
	}
}

void sim_memory_reset(void)
{
	struct sim_region r[SIM_REGIONS];

	if (sim_world->vmaps_used)
		unmap_at(VMAP_AT, vmap_bytes);
	sim_regions(r);
	for (unsigned int i = 0; i < SIM_REGIONS; i++)
		region_clear(&r[i]);
	sim_windows_restore();
}

/* ---- The port's verbs -------------------------------------------------------------------------- */

uint64_t port_mem_default(void)
{
	return RAM_DEFAULT;
}

static void low_map(uint64_t bytes)
{
	if (bytes == sim_engine->low_mapped)
		return;
	if (bytes && !show(LOW_AT, 0, bytes / PAGE))
		die("mmap");
	if (bytes < sim_engine->low_mapped)
		unmap_at(LOW_AT + bytes, sim_engine->low_mapped - bytes);
	sim_engine->low_mapped = bytes;
}

void sim_memory_own(void)
{
	if (ram_owner == getpid())
		return;
	close(ram_fd);
	ram_make();
	low_map(0);
	if (mmap(AT(RAM_AT), (size_t)ram_bytes, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_NORESERVE | MAP_FIXED, ram_fd, 0) == MAP_FAILED)
		die("mmap");
}

static void traces_clear(void)
{
	struct sim_region r[SIM_REGIONS];

	if (!sim_world->used)
		return;
	sim_regions(r);
	for (unsigned int i = REGION_COMMIT; i < SIM_REGIONS; i++)
		region_clear(&r[i]);
	sim_world->used = false;
}

int port_start(const struct port_plan *plan)
{
	struct sim_world *w = sim_world;
	unsigned int cpus = plan->nr_cpus ? plan->nr_cpus : w->nr_cpus;
	uint64_t all = (plan->mem_bytes + PAGE - 1) / PAGE * PAGE;
	uint64_t low = (plan->lowmem_bytes + PAGE - 1) / PAGE * PAGE;

	port_point();
	if (!all || low > all || cpus > SIM_MAX_CPUS || w->started)
		return -22;
	if (all > ram_bytes || sim_refuse(SIM_START))
		return -12;
	traces_clear();
	sim_log("start mem %llu low %llu cpus %u\n", (unsigned long long)all,
		(unsigned long long)low, cpus);
	w->nr_cpus = cpus;
	w->mem_bytes = all;
	w->low_bytes = low;
	w->started = true;
	if (plan->seed)
		w->rand_port = plan->seed;
	if (all > sim_engine->ram_most)
		sim_engine->ram_most = all;
	low_map(low);
	return 0;
}

static void frames_unbacked_check(uint64_t pfn, uint64_t n);

/* What the library leaves is lost, though cleared only when the next machine starts. */
void port_stop(void)
{
	struct sim_world *w = sim_world;

	sim_log("stop\n");
	if (!sim_engine->restored)
		frames_unbacked_check(0, w->mem_bytes / PAGE);
	w->meta_used = 0;
	w->started = false;
	w->used = true;
	w->nr_cpus = sim_engine->cfg.nr_cpus;
}

unsigned int port_ranges(struct port_range *r, unsigned int max)
{
	if (!max)
		return 0;
	r[0].start = 0;
	r[0].end = sim_world->mem_bytes;
	return 1;
}

void *port_lowmem(void)
{
	return AT(LOW_AT);
}

void *port_meta(size_t bytes, bool shared)
{
	struct sim_world *w = sim_world;
	size_t room = (bytes + PAGE - 1) / PAGE * PAGE;
	void *p = AT(META_AT + w->meta_used);

	(void)shared;
	port_point();
	if (sim_engine->cfg.no_meta || sim_refuse(SIM_META) || room < bytes ||
	    room > meta_bytes - w->meta_used)
		return NULL;
	w->meta_used += room;
	if (w->meta_used > sim_engine->meta_most)
		sim_engine->meta_most = w->meta_used;
	sim_log("meta %zu\n", room);
	return p;
}

/* ---- Backing ----------------------------------------------------------------------------------- */

static bool frame_backed(uint64_t pfn)
{
	return sim_commit_map[pfn / 8] >> (pfn % 8) & 1;
}

static void frame_set(uint64_t pfn, bool on)
{
	unsigned char bit = (unsigned char)(1u << (pfn % 8));

	if (on)
		sim_commit_map[pfn / 8] |= bit;
	else
		sim_commit_map[pfn / 8] &= (unsigned char)~bit;
}

static unsigned char *frame_at(uint64_t pfn)
{
	return AT(RAM_AT + pfn * PAGE);
}

static void frames_known(uint64_t pfn, uint64_t n)
{
	if (pfn + n > sim_world->mem_bytes / PAGE || pfn + n < pfn || !sim_world->started)
		sim_fail("frames %llu + %llu are not the machine's", (unsigned long long)pfn,
			 (unsigned long long)n);
}

static void frames_unbacked_check(uint64_t pfn, uint64_t n)
{
	static const unsigned char zero[PAGE];
	struct sim_region r = {frame_at(pfn), (size_t)(n * PAGE)};
	const unsigned char *there = sim_resident(&r);

	for (uint64_t i = 0; i < n; i++) {
		if (there[i] & 1 && !frame_backed(pfn + i) &&
		    memcmp(frame_at(pfn + i), zero, PAGE) != 0)
			sim_fail("frame %llu was written to while it was not backed",
				 (unsigned long long)(pfn + i));
	}
}

int port_commit(unsigned long pfn, unsigned long n)
{
	struct sim_region r = {frame_at(pfn), (size_t)n * PAGE};
	bool fresh = !sim_engine->cfg.dirty && !sim_engine->restored;
	const unsigned char *there;

	port_point();
	frames_known(pfn, n);
	if (sim_refuse(SIM_COMMIT)) {
		sim_log("commit %lu %lu refused\n", pfn, n);
		return -12;
	}
	sim_log("commit %lu %lu\n", pfn, n);
	if (!sim_engine->restored)
		frames_unbacked_check(pfn, n);
	there = sim_resident(&r);
	for (unsigned long i = 0; i < n; i++) {
		if (frame_backed(pfn + i))
			fresh = false;
		else if (sim_engine->cfg.dirty && there[i] & 1)
			memset(frame_at(pfn + i), DIRTY_BYTE, PAGE);
		frame_set(pfn + i, true);
	}
	return fresh;
}

void port_decommit(unsigned long pfn, unsigned long n)
{
	struct sim_region r = {frame_at(pfn), (size_t)n * PAGE};

	port_point();
	frames_known(pfn, n);
	sim_log("decommit %lu %lu\n", pfn, n);
	region_clear(&r);
	for (unsigned long i = 0; i < n; i++)
		frame_set(pfn + i, false);
}

/* ---- Windows ----------------------------------------------------------------------------------- */

void *port_window_base(unsigned int *slots)
{
	*slots = SIM_WINDOW_SLOTS;
	return AT(WINDOW_AT);
}

static void window_check(unsigned int slot, unsigned int n)
{
	if (slot + n > SIM_WINDOW_SLOTS || slot + n <= slot)
		sim_fail("there are no window slots %u to %u", slot, slot + n - 1);
}

void *port_window_map(unsigned int slot, unsigned long pfn, unsigned int n)
{
	port_point();
	frames_known(pfn, n);
	window_check(slot, n);
	sim_log("window %u %lu %u\n", slot, pfn, n);
	for (unsigned int i = 0; i < n; i++)
		window_set(slot + i, (uint32_t)(pfn + i + 1));
	return AT(WINDOW_AT + (uint64_t)slot * PAGE);
}

void port_window_unmap(unsigned int slot, unsigned int n)
{
	port_point();
	window_check(slot, n);
	sim_log("unwindow %u %u\n", slot, n);
	for (unsigned int i = 0; i < n; i++)
		window_set(slot + i, 0);
}

void *port_vmap_base(size_t *bytes)
{
	*bytes = (size_t)vmap_bytes;
	return AT(VMAP_AT);
}

static void vmap_range_check(const void *va, unsigned int n)
{
	uint64_t at = (uint64_t)(uintptr_t)va;

	if (at < VMAP_AT || at % PAGE || at + (uint64_t)n * PAGE > VMAP_AT + vmap_bytes)
		sim_fail("%p and %u pages are not the vmap area's", va, n);
}

/* All frames are one file: any of them can be in two places. */
bool port_vmap_moves(void)
{
	return false;
}

int port_vmap(void *va, const unsigned long *pfn, unsigned int n, bool keep)
{
	uint64_t at = (uint64_t)(uintptr_t)va;

	(void)keep;
	port_point();
	vmap_range_check(va, n);
	if (sim_refuse(SIM_VMAP))
		return -12;
	sim_log("vmap %llu %u\n", (unsigned long long)(at - VMAP_AT), n);
	sim_world->vmaps_used++;
	for (unsigned int i = 0; i < n; i++) {
		frames_known(pfn[i], 1);
		if (!show(at + (uint64_t)i * PAGE, pfn[i], 1)) {
			unmap_at(at, (uint64_t)n * PAGE);
			return -12;
		}
	}
	return 0;
}

void port_vunmap(void *va, const unsigned long *pfn, unsigned int n, bool keep)
{
	(void)pfn;
	(void)keep;
	port_point();
	vmap_range_check(va, n);
	sim_log("vunmap %u\n", n);
	unmap_at((uint64_t)(uintptr_t)va, (uint64_t)n * PAGE);
}
