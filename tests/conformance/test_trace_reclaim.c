/* SPDX-License-Identifier: MIT */
/* Events of reclaim and of running out of memory, in the words of the kernel's trace files: semantics 10.7. */
#include <unistd.h>
#include "pressure.h"

/* ---- Listening ------------------------------------------------------------------------------------ */

static char lines[1 << 16];
static size_t lines_len;

static void on_event(const struct kmem_trace_event *ev, void *arg)
{
	char text[512];

	(void)arg;
	if (ev->kind < KMEM_TRACE_WAKEUP_KSWAPD)
		return;
	kmem_trace_text(ev, text, sizeof(text));
	if (lines_len + strlen(text) + 2 < sizeof(lines))
		lines_len += (size_t)sprintf(lines + lines_len, "%s\n", text);
}

static void listen_start(void)
{
	lines_len = 0;
	lines[0] = '\0';
	kmem_trace_start(on_event, NULL);
}

/* The whole of what was heard is this. */
static void heard(const char *want)
{
	kmem_trace_stop();
	ok(strcmp(lines, want) == 0, "heard:\n%swanted:\n%s", lines, want);
}

static unsigned int heard_lines(const char *start)
{
	unsigned int n = 0;

	for (const char *s = lines; (s = strstr(s, start)) != NULL; s++)
		n += s == lines || s[-1] == '\n';
	return n;
}

/* ---- Shrinkers ------------------------------------------------------------------------------------ */

static unsigned long frees_each;

static unsigned long count_1122(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	return 1122;
}

static unsigned long scan_some(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	return frees_each;
}

static struct shrinker shrinker = {
	.count_objects = count_1122, .scan_objects = scan_some, .seeks = DEFAULT_SEEKS};

/* All shrinkers once, at one priority, as a task that reclaims. */
static void scan_at(int priority)
{
	struct reclaim r = {.gfp = GFP_NOFS, .class = KMEM_ZONE_NORMAL, .priority = priority};
	unsigned int saved = memalloc_noreclaim_save();

	shrinkers_scan(&r);
	memalloc_noreclaim_restore(saved);
}

/* What both lines of one shrinker begin with, behind the name of the event. */
static const char *shrinker_text(void)
{
	static char text[200];
	char site[128];

	port_symbol((const void *)(uintptr_t)scan_some, site, sizeof(site));
	snprintf(text, sizeof(text), "%s %0*lx: nid: 0", site, (int)(2 * sizeof(void *)),
		 (unsigned long)(uintptr_t)&shrinker);
	return text;
}

/* The numbers of a kernel, which its trace had in these words. */
TEST(a_shrinker_that_puts_all_of_it_off)
{
	char want[800];

	machine_start(M64);
	shrinker.batch = 1024;
	is(register_shrinker(&shrinker, "traced"), 0, "register");
	shrinker.nr_deferred = 1218;
	listen_start();
	scan_at(10);
	snprintf(want, sizeof(want),
		 "mm_shrink_slab_start: %s objects to shrink 1218 gfp_flags GFP_NOFS cache items "
		 "1122 delta 2 total_scan 3 priority 10\n"
		 "mm_shrink_slab_end: %s unused scan count 1218 new scan count 1220 total_scan 3 "
		 "last shrinker return val 0\n",
		 shrinker_text(), shrinker_text());
	heard(want);
	unregister_shrinker(&shrinker);
	machine_stop();
}

TEST(a_shrinker_that_frees)
{
	char want[800];

	machine_start(M64);
	shrinker.batch = 500;
	frees_each = 7;
	is(register_shrinker(&shrinker, "traced"), 0, "register");
	listen_start();
	scan_at(1);
	/* 561 * 4 / 2: two portions of 500, and 122 that are put off. */
	snprintf(want, sizeof(want),
		 "mm_shrink_slab_start: %s objects to shrink 0 gfp_flags GFP_NOFS cache items "
		 "1122 delta 1122 total_scan 1122 priority 1\n"
		 "mm_shrink_slab_end: %s unused scan count 0 new scan count 122 total_scan 122 "
		 "last shrinker return val 14\n",
		 shrinker_text(), shrinker_text());
	heard(want);
	unregister_shrinker(&shrinker);
	machine_stop();
}

/* ---- Direct reclaim ------------------------------------------------------------------------------- */

TEST(direct_reclaim_begins_and_ends)
{
	static struct told t = {.in = 1, .gives = 40, .admits = 40};
	struct page *page;

	m64_exhausted();
	told_start(&t, 40);
	listen_start();
	page = alloc_page(GFP_KERNEL & ~__GFP_KSWAPD_RECLAIM);
	ok(page != NULL, "served");
	heard("mm_vmscan_direct_reclaim_begin: order=0 gfp_flags=__GFP_IO|__GFP_FS|"
	      "__GFP_DIRECT_RECLAIM\n"
	      "mm_vmscan_direct_reclaim_end: nr_reclaimed=40\n");
	__free_page(page);
	kmem_provider_unregister(&t.p);
	m64_end();
}

/* Each round in vain says of each zone what it would help if all were given back. */
TEST(every_round_in_vain_says_why_it_is_worth_another)
{
	static struct told t;
	const struct zone *normal;
	char want[300];

	m64_exhausted();
	kmem_set_oom_handler(on_oom, NULL);
	oom_answer = KMEM_OOM_NONE;
	normal = &kmem_machine.zones[KMEM_ZONE_NORMAL];
	told_start(&t, 1000);
	listen_start();
	ok(!alloc_page((GFP_KERNEL & ~__GFP_KSWAPD_RECLAIM) | __GFP_NOWARN), "refused");
	kmem_trace_stop();
	is(heard_lines("mm_vmscan_direct_reclaim_begin: "), 17, "rounds");
	is(heard_lines("mm_vmscan_direct_reclaim_end: nr_reclaimed=0\n"), 17, "all in vain");
	is(heard_lines("reclaim_retry_zone: node=0 zone=Normal   order=0 reclaimable=1000 "), 16,
	   "and all but the last worth another");
	snprintf(want, sizeof(want),
		 "reclaim_retry_zone: node=0 zone=Normal   order=0 reclaimable=1000 available=%lu "
		 "min_wmark=%lu no_progress_loops=16 wmark_check=1\n",
		 1000 + zone_free_now(KMEM_ZONE_NORMAL),
		 (unsigned long)normal->mark[ALLOC_WMARK_MIN]);
	is(heard_lines(want), 1, "the sixteenth");
	kmem_provider_unregister(&t.p);
	m64_end();
}

/* ---- kswapd --------------------------------------------------------------------------------------- */

TEST(background_reclaim_is_asked_for_and_begins)
{
	static struct told t; /* gives nothing */

	m64_exhausted();
	told_start(&t, 1);
	listen_start();
	ok(!alloc_pages(GFP_NOWAIT, 1), "refused");
	ok(!alloc_pages(GFP_NOWAIT, 1), "and again, which is no new wish");
	while (kmem_kswapd_run())
		;
	kmem_trace_stop();
	is(heard_lines("mm_vmscan_wakeup_kswapd: nid=0 order=1 gfp_flags=GFP_NOWAIT\n"), 1,
	   "asked for once");
	ok(heard_lines("mm_vmscan_kswapd_wake: nid=0 order=1\n") > 0, "and begun:\n%s", lines);
	is(heard_lines("mm_vmscan_direct_reclaim_begin: "), 0, "nobody else reclaims");
	kmem_provider_unregister(&t.p);
	m64_end();
}

static bool rings_have(enum kmem_trace_kind kind)
{
	struct kmem_trace_event ev;

	for (unsigned int cpu = 0; cpu < kmem_stat_get()->nr_cpus; cpu++)
		while (kmem_trace_read(cpu, &ev))
			if (ev.kind == (uint32_t)kind)
				return true;
	return false;
}

static void wait_for(enum kmem_trace_kind kind)
{
	while (!rings_have(kind))
		usleep(1000);
}

TEST(its_task_goes_to_sleep)
{
	static struct told t;
	struct kmem_trace_event ev = {.kind = KMEM_TRACE_KSWAPD_SLEEP};
	char text[80];

	machine_start("mem=64M zones=i386 nr_cpus=2 percpu_pages=0");
	exhaust(GFP_KERNEL);
	told_start(&t, 1);
	kmem_trace_start(NULL, NULL);
	ok(!alloc_pages(GFP_NOWAIT, 1), "refused");
	wait_for(KMEM_TRACE_KSWAPD_WAKE);
	wait_for(KMEM_TRACE_KSWAPD_SLEEP);
	kmem_trace_stop();
	kmem_trace_text(&ev, text, sizeof(text));
	ok(!strcmp(text, "mm_vmscan_kswapd_sleep: nid=0"), "%s", text);
	kmem_provider_unregister(&t.p);
	m64_end();
}

/* ---- Victims -------------------------------------------------------------------------------------- */

TEST(a_victim_is_marked_once)
{
	char want[80];

	machine_start(M64);
	listen_start();
	kmem_task_set_flags(PF_KMEM_OOM_VICTIM, 0);
	kmem_task_set_flags(PF_KMEM_OOM_VICTIM, 0);
	kmem_task_set_flags(0, PF_KMEM_OOM_VICTIM);
	snprintf(want, sizeof(want), "mark_victim: pid=%d\n", getpid());
	heard(want);
	kmem_task_set_flags(PF_KMEM_OOM_VICTIM, 0);
	kmem_task_set_flags(0, PF_KMEM_OOM_VICTIM);
	heard(want);
	machine_stop();
}
