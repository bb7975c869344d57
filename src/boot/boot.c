/* SPDX-License-Identifier: MIT */
/*
 * Bring-up and shutdown: the order in which the floors start, and its mirror image.
 *
 *	          boot_claim               last stage up
 *	   OFF ----------------> BOOTING -----------------> ON
 *	    ^                       |                        | shutdown_claim
 *	    |     a stage refused   |                        v
 *	    +<----------------------+<------------------ STOPPING
 *
 * The stages stand in one table, each with what undoes it. Bring-up walks it down; a refusal walks
 * back from there, so nothing is ever half-started. Shutdown walks all of it back.
 *
 * One task boots. It holds no lock meanwhile, since a lock held marks a section, in which nothing
 * could wait; the state BOOTING keeps others out. Tasks that need the machine wait for the state to
 * change; a handler that interrupts the booting task must not wait, and is told there is no machine.
 *
 * Lazy boot: the first use of a machine that nobody has started starts one from the environment's
 * command line. It is tried once: whoever asked for a machine by name (kmem_boot), stopped it
 * (kmem_shutdown), or was refused, does not get another one behind his back.
 *
 * Lock: RANK_BOOT, for a few instructions: changes of state, and tunables of a running machine.
 * Cost of a boot and shutdown: proportional to memory / 4 MiB; the host's mappings dominate.
 */
#include "boot/boot.h"
#include <kmem/percpu.h>

enum {
	LEAK_LINES = 16, /* pages reported one by one; the rest is counted */
	/* Two stacks for each of 1024 caches, the page lists, and as much again. */
	PERCPU_SHIFT_TOP = 18,
	PERCPU_SHIFT_MIN = 13, /* the library's own caches */
	RING_SHARE = 128,      /* of the memory, for events, likewise */
	PERCPU_SHARE = 32,     /* of the memory, where the areas must be taken out of it */
};

static bool boot_lazily(void);
bool (*kmem_boot_hook)(void) = boot_lazily;

static struct lock boot_lock = {.rank = RANK_BOOT};
static struct port_task *booter; /* the task in BOOTING or STOPPING */
static u32 lazy_refused;	 /* no machine may start by itself any more */
static u64 boot_count;

/* ---- State ---------------------------------------------------------------------------------- */

/* One state for another, if it is that. False: it is not. */
static bool state_move(enum machine_state from, enum machine_state to)
{
	irqflags_t flags = lock_take(&boot_lock);
	bool ok = kmem_machine.state == (u32)from;

	if (ok) {
		atom_store(&booter, to == MACHINE_ON || to == MACHINE_OFF ? NULL : port_task());
		/* Pairs with the acquire in machine_ensure(): who sees ON sees the machine. */
		atom_store_rel(&kmem_machine.state, (u32)to);
	}
	lock_release(&boot_lock, flags);
	return ok;
}

/* For fork: the boot lock, with no task in BOOTING or STOPPING. */
void boot_lock_settled(void)
{
	for (;;) {
		u32 state;

		lock_fork_take(&boot_lock);
		state = kmem_machine.state;
		if (state == MACHINE_OFF || state == MACHINE_ON || booter == port_task())
			return;
		lock_fork_drop(&boot_lock);
		port_relax();
	}
}

void boot_unlock_settled(void)
{
	lock_fork_drop(&boot_lock);
}

bool kmem_booted(void)
{
	return atom_load_acq(&kmem_machine.state) == MACHINE_ON;
}

static const char *boot_error = "";

const char *kmem_boot_error(void)
{
	return atom_load_acq(&boot_error); /* pairs with boot_run */
}

/* ---- Stages --------------------------------------------------------------------------------- */

/* The direct map ends where the first populated zone without addresses begins. */
static u64 lowmem_bytes(const struct kmem_options *opt)
{
	u64 start = opt->zone_start_pfn[KMEM_ZONE_HIGHMEM],
	    end = opt->zone_end_pfn[KMEM_ZONE_HIGHMEM];

	return opt->zone_configured[KMEM_ZONE_HIGHMEM] && start < end ? start << PAGE_SHIFT
								      : opt->mem_bytes;
}

static int port_up(void)
{
	const struct kmem_options *opt = &kmem_machine.opt;
	struct port_plan plan = {
		.mem_bytes = opt->mem_bytes,
		.lowmem_bytes = lowmem_bytes(opt),
		.nr_cpus = opt->nr_cpus,
		.seed = opt->seed,
		.huge_pages = opt->huge_pages,
	};
	int rc = port_start(&plan);

	if (rc) {
		fmt_snprintf(kmem_machine.boot_error, sizeof(kmem_machine.boot_error),
			     "mem=%lluK: refused by the host (error %d)",
			     (unsigned long long)(plan.mem_bytes >> 10), -rc);
		return rc;
	}
	port_set_fork_hooks(boot_fork_prepare, boot_fork_parent, boot_fork_child);
	kmem_machine.nr_cpus = port_ncpu();
	assert_always(kmem_machine.nr_cpus >= 1 && kmem_machine.nr_cpus <= KMEM_MAX_CPUS);
	return 0;
}

static void port_down(void)
{
	port_stop();
	kmem_machine.nr_cpus = 0;
	kmem_machine.lowmem = NULL;
	kmem_machine.low_end = 0;
}

static int stat_up(void)
{
	const struct kmem_options *opt = &kmem_machine.opt;
	struct kmem_stat *stat = boot_alloc(sizeof(*stat), true);

	if (!stat)
		return -KE_NOMEM;
	stat->version = KMEM_STAT_VERSION;
	stat->size = sizeof(*stat);
	stat->page_size = (u32)PAGE_SIZE;
	stat->nr_cpus = kmem_machine.nr_cpus;
	stat->max_caches = KMEM_MAX_CACHES;
	stat->pid = (u32)port_pid();
	stat->boots = ++boot_count;
	stat->mobility = opt->mobility;
	/* Last: a reader that sees the magic sees the rest. */
	atom_store_rel(&stat->magic, KMEM_STAT_MAGIC);
	kmem_machine.stat = stat;
	return 0;
}

/* Of boot_alloc() too: phys forgets the port's ranges, whether it has come up or not. */
static void stat_down(void)
{
	phys_exit();
	kmem_machine.stat = NULL;
}

void boot_stat_child(void)
{
	atom_store(&kmem_machine.stat->pid, (u32)port_pid());
}

/* Areas where the port has a place for them; or as large as it gives lazily, or as the memory can bear. */
static int percpu_up(void)
{
	u32 nr = kmem_machine.nr_cpus + 1; /* and nobody's, which is beside that share */
	unsigned int shift = PERCPU_SHIFT_TOP;
	unsigned char *base;
	void *own = NULL;

	if (port_areas(kmem_machine.nr_cpus, &own, &shift) != 0)
		return -KE_NOMEM;
	if (own) {
		percpu_init(own, shift);
		return 0;
	}
	base = port_meta((size_t)nr << shift, false);
	while (!base && shift > PERCPU_SHIFT_MIN) {
		shift--;
		if (((u64)kmem_machine.nr_cpus << shift) * PERCPU_SHARE <=
		    kmem_machine.opt.mem_bytes)
			base = boot_alloc((size_t)nr << shift, false);
	}
	if (!base)
		return -KE_NOMEM;
	percpu_init(base + ((size_t)1 << shift), shift);
	return 0;
}

static int phys_up(void)
{
	int rc = phys_init();

	if (rc)
		return rc;
	zone_setup_marks();
	return 0;
}

static int gfp_up(void)
{
	fault_start();
	return fault_setup(kmem_machine.opt.fail_page_alloc);
}

/* What users have registered with the floors between goes with the machine. */
static void gfp_down(void)
{
	gfp_reset();
	reclaim_reset();
	lockdep_reset();
}

static int slab_up(void)
{
	int rc = slab_init();

	if (rc) {
		slab_exit();
		return rc;
	}
	/* Who watches, and what is to fail, is known by now. */
	page_hits_refresh();
	gfp_hits_refresh();
	return 0;
}

static void pool_down(void)
{
	filecache_init();
	swap_init();
	lru_init();
	pcpu_reset();
	vmalloc_reset();
}

static int pool_up(void)
{
	pool_down();
	return 0;
}

static void percpu_down(void)
{
	percpu_exit();
	rcu_reset();
}

/*
 * Rings for events, if that costs the machine nothing or next to nothing; without them events are
 * dropped, and counted. Taken before there are zones, so that no zone shrinks for them.
 */
static int rings_up(void)
{
	size_t bytes = trace_ring_bytes(kmem_machine.nr_cpus);
	void *mem = port_meta(bytes, false);

	if (!mem && (u64)bytes * RING_SHARE <= kmem_machine.opt.mem_bytes)
		mem = boot_alloc(bytes, false);
	trace_ring_init(mem, kmem_machine.nr_cpus);
	return 0;
}

/* Tracing needs every operation on the slow path; see trace.h. */
static void trace_switch(bool on)
{
	slab_trace_switch(on);
	pcp_switch(!on && kmem_machine.opt.percpu_pages);
}

static int trace_up(void)
{
	trace_switch_hook = trace_switch;
	return 0;
}

static void trace_down(void)
{
	trace_switch_hook = NULL;
}

struct stage {
	const char *name;
	int (*up)(void);
	void (*down)(void);
};

static const struct stage stages[] = {
	{"port", port_up, port_down},		{"statistics", stat_up, stat_down},
	{"event rings", rings_up, trace_reset}, {"per-CPU areas", percpu_up, percpu_down},
	{"zones", phys_up, phys_exit},		{"gfp", gfp_up, gfp_down},
	{"caches", slab_up, slab_exit},		{"pools", pool_up, pool_down},
	{"trace", trace_up, trace_down},
};

static void stages_down(size_t nr)
{
	while (nr > 0)
		stages[--nr].down();
}

static int stages_up(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
		int rc = stages[i].up();

		if (!rc)
			continue;
		if (!kmem_machine.boot_error[0])
			fmt_snprintf(kmem_machine.boot_error, sizeof(kmem_machine.boot_error),
				     "%s: %s", stages[i].name,
				     rc == -KE_NOMEM ? "not enough memory" : "refused");
		stages_down(i);
		return rc;
	}
	return 0;
}

/* ---- Boot ----------------------------------------------------------------------------------- */

/* Parses into the machine's options. The port says how much memory there is if the line does not. */
static int boot_parse(const char *cmdline)
{
	struct kmem_options opt;
	char *err = kmem_machine.boot_error;
	size_t len = sizeof(kmem_machine.boot_error);
	int rc;

	err[0] = '\0';
	rc = tunables_parse(cmdline, &opt, err, len);
	if (!rc)
		rc = tunables_zones(&opt, opt.mem_bytes ? opt.mem_bytes : port_mem_default(), err,
				    len);
	if (!rc)
		kmem_machine.opt = opt;
	return rc;
}

/* The caller is in BOOTING. Leaves it for ON or OFF. */
static int boot_run(const char *cmdline)
{
	int rc;

	if (!cmdline)
		cmdline = port_cmdline();
	rc = boot_parse(cmdline);
	if (!rc)
		rc = stages_up();
	if (!rc)
		str_copy(kmem_machine.stat->cmdline, cmdline ? cmdline : "",
			 sizeof(kmem_machine.stat->cmdline));
	atom_store_rel(&boot_error, (const char *)kmem_machine.boot_error);
	state_move(MACHINE_BOOTING, rc ? MACHINE_OFF : MACHINE_ON);
	return rc;
}

int kmem_boot(const char *cmdline)
{
	atom_store(&lazy_refused, 1u);
	if (!state_move(MACHINE_OFF, MACHINE_BOOTING)) {
		atom_store(&boot_error, "the machine is already running");
		return -KE_BUSY;
	}
	return boot_run(cmdline);
}

/* In a handler nothing may be waited for, and no machine can be started. */
static bool may_wait(void)
{
	return port_context() == PORT_TASK && !sync_nested() && atom_load(&booter) != port_task();
}

static bool boot_lazily(void)
{
	for (;;) {
		u32 state = atom_load_acq(&kmem_machine.state);

		if (state == MACHINE_ON)
			return true;
		if (state == MACHINE_STOPPING || !may_wait())
			return false;
		if (state == MACHINE_BOOTING) {
			port_relax();
			continue;
		}
		if (atom_load(&lazy_refused))
			return false;
		if (!state_move(MACHINE_OFF, MACHINE_BOOTING))
			continue;
		if (boot_run(NULL) == 0)
			return true;
		atom_store(&lazy_refused, 1u);
		report(KMEM_LOG_ERR, "kmem: no machine: %s", kmem_machine.boot_error);
		return false;
	}
}

/* ---- Shutdown ------------------------------------------------------------------------------- */

static void leak_report(const struct zone *z, const struct page *page, unsigned long nr)
{
	if (nr <= LEAK_LINES)
		report(KMEM_LOG_WARN, "kmem: leak: pages at pfn %#lx, order %u, zone %s",
		       pfn_of_page(page), page->order, z->name);
}

/*
 * Blocks of pages that still have an owner. Only heads are looked at: the walk steps over a block
 * at a time, free ones too, so that an empty machine costs a step for every 4 MiB.
 */
static unsigned long pages_report_leaks(void)
{
	unsigned long nr = 0;

	for_each_zone (z) {
		for (pfn_t pfn = z->start; pfn < z->end;) {
			const struct page *page = page_of_pfn(pfn);

			if (zone_skip_fresh(z, pfn) != pfn) {
				pfn = zone_skip_fresh(z, pfn);
				continue;
			}
			if (page->state == PAGE_ALLOC || page->state == PAGE_LARGE)
				leak_report(z, page, ++nr);
			pfn += page_frames(page);
		}
	}
	if (nr > LEAK_LINES)
		report(KMEM_LOG_WARN, "kmem: leak: %lu more blocks of pages", nr - LEAK_LINES);
	return nr;
}

unsigned long kmem_shutdown(void)
{
	unsigned long leaks;

	atom_store(&lazy_refused, 1u);
	if (!state_move(MACHINE_ON, MACHINE_STOPPING))
		return 0;
	kswapd_stop();
	kmem_trace_stop();
	leaks = pcpu_report_leaks() + vmalloc_report_leaks();
	slab_drain_all();
	pcp_drain_all();
	phys_run_deferred();
	leaks += slab_report_leaks() + pages_report_leaks();
	port_fault_end(leaks, kmem_misuse_count());
	stages_down(ARRAY_SIZE(stages));
	state_move(MACHINE_STOPPING, MACHINE_OFF);
	return leaks;
}

/* ---- A running machine ---------------------------------------------------------------------- */

/* kswapd is somebody else as well: it waits meanwhile. */
static int check_alone(int (*check)(void))
{
	int faults;

	if (!kmem_booted())
		return 0;
	kswapd_hold();
	faults = check();
	kswapd_let();
	return faults;
}

int kmem_zones_check(void)
{
	return check_alone(phys_check);
}

int kmem_caches_check(void)
{
	return check_alone(slab_check_all);
}

static int check_all(void)
{
	return phys_check() + slab_check_all() + reclaim_check() + lru_check() + swap_check() +
	       filecache_check() + kmem_percpu_check() + vmalloc_check();
}

int kmem_check(void)
{
	return check_alone(check_all);
}

void kmem_drain(void)
{
	if (!kmem_booted())
		return;
	vmalloc_run_deferred();
	slab_drain_all();
	pcp_drain_all();
	phys_run_deferred();
}

unsigned long kmem_trim(void)
{
	if (!kmem_booted())
		return 0;
	kmem_drain();
	return phys_trim();
}

int kmem_sysctl(const char *name, const char *value)
{
	irqflags_t flags;
	int rc;

	if (!kmem_booted() || !name || !value)
		return -KE_INVAL;
	flags = lock_take(&boot_lock);
	rc = tunables_set(name, value, &kmem_machine.opt);
	if (!rc)
		zone_setup_marks();
	lock_release(&boot_lock, flags);
	return rc;
}
