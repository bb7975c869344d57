/* SPDX-License-Identifier: MIT */
#include <kmem/kmem.h>
#include <kmem/port.h>
#include <string.h>
#include "engine.h"
#include "reclaim/reclaim.h"
#include "reclaim.h"

#define MACHINE "mem=2M zones=flat seed=1 nr_cpus=3 percpu_pages=0 min_free_kbytes=64"

enum { TASKS_MAX = 3, PAGES_MAX = 512, SECOND_NS = 1000000000, TENTH_MS_NS = 100000 };

/* Of the program's static variables: restored with the machine before each schedule. */
static struct shrinker shrinker[TASKS_MAX];
static struct notifier_block notifier[TASKS_MAX];
static bool gone[TASKS_MAX]; /* taken away by its owner */
static unsigned int scans, inside;
static struct page *held[PAGES_MAX], *own[TASKS_MAX + 1]; /* the provider's; each task's */
static unsigned int nr_held;
static bool refuses; /* the provider gives nothing */
static bool handler_wakes;
static uint64_t nap_end;
static unsigned int nr_rest; /* sections that never decay: somebody uses them */

static void check_machine(void)
{
	if (kmem_check() != 0 || kmem_shutdown() != 0)
		sim_fail("machine: %s", sim_messages());
	if (kmem_misuse_count() != 0)
		sim_fail("misuse: %s", sim_messages());
}

static void sleep_ns(uint64_t ns)
{
	u32 word = 0;

	port_wait(&word, 0, ns);
}

/* ---- Shrinkers and notifiers: callbacks that come and go --------------------------------------------- */

/* Who has taken it away may do with it what he likes: it must be whole from beginning to end. */
static void whole(unsigned int nr)
{
	for (int i = 0; i < 2; i++) {
		sim_expect(nr < TASKS_MAX && !gone[nr]);
		port_point();
	}
}

static unsigned long shrinker_count(struct shrinker *s, struct shrink_control *sc)
{
	(void)sc;
	whole((unsigned int)(s - shrinker));
	return 200;
}

static unsigned long shrinker_scan(struct shrinker *s, struct shrink_control *sc)
{
	sim_expect(kmem_task_flags() & PF_MEMALLOC);
	whole((unsigned int)(s - shrinker));
	scans++;
	return sc->nr_to_scan;
}

static void shrinker_come(unsigned int i)
{
	shrinker[i] = (struct shrinker){.count_objects = shrinker_count,
					.scan_objects = shrinker_scan,
					.seeks = DEFAULT_SEEKS,
					.batch = 400};
	gone[i] = false;
	sim_expect(register_shrinker(&shrinker[i], "%u", i) == 0);
}

static void shrinker_go(unsigned int i)
{
	unregister_shrinker(&shrinker[i]);
	gone[i] = true;
	memset(&shrinker[i], 0xff, sizeof(shrinker[i]));
}

static void shrinkers_ask(void)
{
	struct reclaim r = {.gfp = GFP_KERNEL, .class = KMEM_ZONE_NORMAL};
	unsigned int saved = memalloc_noreclaim_save();

	shrinkers_scan(&r);
	memalloc_noreclaim_restore(saved);
}

static void setup_shrinkers(void *arg)
{
	(void)arg;
	sim_expect(kmem_boot(MACHINE) == 0);
	shrinker_come(0);
	shrinker_come(1);
}

/* A walk meets one that goes, and its neighbour is there all the time. */
static void task_shrinker_go(unsigned int i, void *arg)
{
	(void)arg;
	if (i == 0)
		shrinkers_ask();
	else
		shrinker_go(2 - i);
}

static void task_shrinker_come(unsigned int i, void *arg)
{
	(void)arg;
	if (i == 0) {
		shrinkers_ask();
		sim_expect(scans >= 1);
	} else if (i == 1) {
		shrinker_go(0);
		shrinker_come(0);
	} else {
		shrinker_come(2);
	}
}

static int notified(struct notifier_block *nb, unsigned long action, void *data)
{
	(void)action;
	sim_expect(inside++ == 0);
	whole((unsigned int)(nb - notifier));
	inside--;
	*(unsigned long *)data += 1;
	return NOTIFY_OK;
}

static enum kmem_oom_result oom_handler(gfp_t gfp, unsigned int order, void *arg)
{
	(void)gfp;
	(void)order;
	(void)arg;
	sim_expect(inside++ == 0);
	port_point();
	inside--;
	return KMEM_OOM_NONE;
}

static void setup_notifiers(void *arg)
{
	(void)arg;
	sim_expect(kmem_boot(MACHINE) == 0);
	kmem_set_oom_handler(oom_handler, NULL);
	for (unsigned int i = 0; i < 2; i++) {
		notifier[i] = (struct notifier_block){.notifier_call = notified};
		sim_expect(register_oom_notifier(&notifier[i]) == 0);
	}
}

/* Two run out of memory at once, and one of the notifiers goes. */
static void task_oom(unsigned int i, void *arg)
{
	(void)arg;
	if (i == 1) {
		unregister_oom_notifier(&notifier[1]);
		gone[1] = true;
		memset(&notifier[1], 0xff, sizeof(notifier[1]));
	}
	sim_expect(oom_call(GFP_KERNEL, 0) != KMEM_OOM_NONE);
}

static void check_callbacks(void *arg)
{
	(void)arg;
	sim_expect(inside == 0);
	check_machine();
}

/* ---- kswapd over a provider of pages ------------------------------------------------------------------ */

static struct zone *zone(void)
{
	return &kmem_machine.zones[KMEM_ZONE_NORMAL];
}

static unsigned long count_held(struct kmem_provider *p, int z)
{
	(void)p;
	return z == KMEM_ZONE_NORMAL ? nr_held : 0;
}

static unsigned long give_held(struct kmem_provider *p, int z, unsigned long nr, int priority,
			       gfp_t gfp)
{
	unsigned long given = 0;

	(void)p;
	(void)z;
	(void)priority;
	(void)gfp;
	sim_expect(inside++ == 0);
	for (; given < nr && nr_held && !refuses; given++)
		__free_page(held[--nr_held]);
	inside--;
	return given;
}

static struct kmem_provider provider = {
	.name = "held", .count_pages = count_held, .reclaim = give_held};

/* Pages go to the provider until the zone has no more than so many free. */
static void take_down_to(unsigned long left)
{
	while (zone()->free > left && nr_held < PAGES_MAX) {
		held[nr_held] = alloc_page((GFP_NOWAIT | __GFP_MEMALLOC) & ~__GFP_KSWAPD_RECLAIM);
		sim_expect(held[nr_held]);
		nr_held++;
	}
}

static unsigned long high(void)
{
	return zone()->mark[ALLOC_WMARK_HIGH];
}

static void want(void)
{
	reclaim_wake_kswapd(GFP_NOWAIT, 0, KMEM_ZONE_NORMAL, sync_nested());
}

/* kswapd's task, if it waits. */
static const struct sim_task *sleeping_kswapd(void)
{
	for (unsigned int i = 0; i < sim_world->nr_tasks; i++) {
		const struct sim_task *t = &sim_world->task[i];

		if (t->daemon && t->state == TASK_WAIT)
			return t;
	}
	return NULL;
}

static void setup_no_kswapd(void *arg)
{
	(void)arg;
	sim_expect(kmem_boot(MACHINE) == 0);
	sim_expect(kmem_provider_register(&provider) == 0);
	take_down_to(high());
}

/* It has done its work, and the node is balanced by one page. */
static void setup_napping(void *arg)
{
	setup_no_kswapd(arg);
	want();
	reclaim_tick();
	sim_expect(zone()->free > high() && sleeping_kswapd());
	take_down_to(high() + 1);
	nap_end = sleeping_kswapd()->deadline;
	sim_expect(nap_end != UINT64_MAX);
}

static void setup_asleep(void *arg)
{
	setup_napping(arg);
	sleep_ns(SECOND_NS);
	sim_expect(sleeping_kswapd()->deadline == UINT64_MAX);
}

static void take_and_wake(unsigned int i)
{
	if (!own[i])
		own[i] = alloc_page(GFP_ATOMIC & ~__GFP_KSWAPD_RECLAIM);
	if (own[i])
		want();
}

static void task_wake(unsigned int i, void *arg)
{
	(void)arg;
	take_and_wake(i);
}

/* In the moment in which the nap ends, and kswapd decides to sleep. */
static void task_wake_at_nap_end(unsigned int i, void *arg)
{
	(void)arg;
	sleep_ns(nap_end - port_now_ns());
	if (!handler_wakes)
		take_and_wake(i);
}

static void setup_napping_handler(void *arg)
{
	setup_napping(arg);
	handler_wakes = true;
}

static void task_stop_at_nap_end(unsigned int i, void *arg)
{
	(void)arg;
	sleep_ns(nap_end - port_now_ns());
	if (i == 0)
		kswapd_stop();
}

static void task_hold(unsigned int i, void *arg)
{
	(void)arg;
	if (i != 0) {
		take_and_wake(i);
		return;
	}
	kswapd_hold();
	for (int n = 0; n < 3; n++) {
		sim_expect(inside == 0);
		port_point();
	}
	kswapd_let();
}

/* Work for kswapd in two tasks: its own, and one that has the time. */
static void task_run(unsigned int i, void *arg)
{
	(void)arg;
	if (i == 0)
		take_and_wake(i);
	else
		kmem_kswapd_run();
}

static void setup_starved(void *arg)
{
	setup_asleep(arg);
	take_down_to(zone()->mark[ALLOC_WMARK_MIN] / 4);
}

static void setup_hopeless(void *arg)
{
	setup_starved(arg);
	refuses = true;
	want();
	/* One failure is left. */
	for (int i = 1; i < MAX_RECLAIM_RETRIES; i++)
		sim_expect(kmem_kswapd_run());
}

/* One alone: who runs when somebody sleeps is a free choice, and two would sleep often. */
static void task_throttle(unsigned int i, void *arg)
{
	(void)arg;
	if (i == 0)
		throttle_direct(GFP_KERNEL);
}

static void check_kswapd(void *arg)
{
	(void)arg;
	if (handler_wakes && !own[TASKS_MAX])
		take_and_wake(0);
	for (int i = 0; i < 3 && zone()->free <= high(); i++)
		sleep_ns(SECOND_NS);
	if (zone()->free <= high() && !refuses)
		sim_fail("nobody is at work: %lu pages free", zone()->free);
	sim_expect(inside == 0);
	kmem_provider_unregister(&provider);
	while (nr_held)
		__free_page(held[--nr_held]);
	for (unsigned int i = 0; i <= TASKS_MAX; i++)
		if (own[i])
			__free_page(own[i]);
	check_machine();
}

/* After a stop nobody is there for the next wish. */
static void check_stopped(void *arg)
{
	(void)arg;
	sim_expect(!sleeping_kswapd());
	refuses = true;
	check_kswapd(arg);
}

/* ---- kswapd, where free memory decays ------------------------------------------------------------------- */

static struct page *whole_section(void)
{
	return alloc_contig_pages(1024, GFP_KERNEL, 0, NULL);
}

/* How often kswapd looks, at most so often, until it has nothing more to wait for. */
static unsigned int decay_looks(unsigned int most)
{
	for (unsigned int n = 0;;) {
		sleep_ns(TENTH_MS_NS); /* it may have been woken just now */
		if (!sleeping_kswapd())
			continue;
		if (sleeping_kswapd()->deadline == UINT64_MAX || n == most)
			return n;
		sleep_ns(sleeping_kswapd()->deadline - port_now_ns());
		n++;
	}
}

static unsigned int backed_sections(void)
{
	unsigned int backed = 0;

	for (pfn_t pfn = 0; pfn < kmem_machine.end; pfn += 1024)
		backed += phys_backed(pfn);
	return backed;
}

static void section_comes_and_goes(void)
{
	struct page *page = whole_section();

	sim_expect(page);
	free_contig_range(page_to_pfn(page), 1024);
}

/* A section is free, kswapd is about to wake for the last time because of it. */
static void setup_decaying(void *arg)
{
	unsigned int looks = 0;

	(void)arg;
	sim_expect(kmem_boot("mem=12M zones=flat seed=1 nr_cpus=3 decay_ms=10 decay_thread=1") ==
		   0);
	/* The first time, kswapd is made, and a round begun; from then on it is always the same. */
	for (int i = 0; i < 2; i++) {
		section_comes_and_goes();
		looks = decay_looks(100);
		sim_expect(looks > 2 && looks < 100);
	}
	nr_rest = backed_sections();
	section_comes_and_goes();
	sim_expect(decay_looks(looks - 1) == looks - 1);
	nap_end = sleeping_kswapd()->deadline;
	sim_expect(nap_end != UINT64_MAX);
}

static void task_free_at_nap_end(unsigned int i, void *arg)
{
	(void)arg;
	sleep_ns(nap_end - port_now_ns());
	if (i == 0)
		section_comes_and_goes();
}

/* Whatever was free is the host's again, and kswapd sleeps for good. */
static void check_decayed(void *arg)
{
	(void)arg;
	sleep_ns(SECOND_NS);
	sim_expect(sleeping_kswapd() && sleeping_kswapd()->deadline == UINT64_MAX);
	sim_expect(backed_sections() == nr_rest);
	check_machine();
}

static void handler(void *arg)
{
	(void)arg;
	if (handler_wakes)
		take_and_wake(TASKS_MAX);
}

#define SCENE(name, setup, task, check, two, three, handler)             \
	{                                                                \
		{name, 0, setup, task, check, NULL}, two, three, handler \
	}

/* Bounds: preemptions with 2 CPUs, with 3, and with 2 and a handler (0: not run). */
const struct named_scenario reclaim_scenarios[] = {
	SCENE("shrinker: scan and go", setup_shrinkers, task_shrinker_go, check_callbacks, 3, 3, 0),
	SCENE("shrinker: scan and come", setup_shrinkers, task_shrinker_come, check_callbacks, 3, 2,
	      0),
	SCENE("OOM: two at once, one notifier goes", setup_notifiers, task_oom, check_callbacks, 3,
	      2, 0),
	SCENE("kswapd: two starters", setup_no_kswapd, task_wake, check_kswapd, 1, 0, 0),
	SCENE("kswapd: woken from sleep", setup_asleep, task_wake, check_kswapd, 1, 1, 0),
	SCENE("kswapd: woken at the end of its nap", setup_napping, task_wake_at_nap_end,
	      check_kswapd, 2, 1, 0),
	SCENE("kswapd: woken by a handler", setup_napping_handler, task_wake_at_nap_end,
	      check_kswapd, 0, 0, 2),
	SCENE("kswapd: stopped at the end of its nap", setup_napping, task_stop_at_nap_end,
	      check_stopped, 3, 2, 0),
	SCENE("kswapd: kept out", setup_asleep, task_hold, check_kswapd, 2, 1, 0),
	SCENE("kswapd: two at work", setup_asleep, task_run, check_kswapd, 2, 1, 0),
	SCENE("kswapd: a free as the last decay ends", setup_decaying, task_free_at_nap_end,
	      check_decayed, 1, 0, 0),
	SCENE("throttle: until there is enough", setup_starved, task_throttle, check_kswapd, 1, 0,
	      0),
	SCENE("throttle: until kswapd gives up", setup_hopeless, task_throttle, check_kswapd, 2, 0,
	      0),
};
const unsigned int nr_reclaim_scenarios = sizeof(reclaim_scenarios) / sizeof(reclaim_scenarios[0]);

void reclaim_search(const struct named_scenario *s, unsigned int cpus, unsigned int preemptions,
		    bool handlers, enum sim_mode mode, struct sim_search_result *r)
{
	struct sim_scenario sc = s->sc;
	struct sim_config cfg = {.seed = 1, .nr_cpus = 3, .mode = mode};
	struct sim_search_limit limit = {.preemptions = preemptions, .handlers = handlers};

	sc.nr_tasks = cpus;
	cfg.irq = handlers ? handler : NULL;
	cfg.irq_max = 1;
	sim_search(&sc, &cfg, &limit, r);
}
