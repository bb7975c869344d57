/* SPDX-License-Identifier: MIT */
/*
 * The LRU lists, a state at a time: what a page goes through from kmem_lru_add to its release, which
 * mask may do what with it, and what its owner is asked. Reclaim is driven by real requests of a small
 * machine, or by the provider itself where the order of pages matters.
 */
#include "../conformance/pressure.h"
#include "pool/pool.h"
#include <kmem/lru.h>

enum { PAGES = 400 };

/* An owner that does as it is told, and remembers what it was asked. */
struct told_owner {
	struct kmem_lru_owner o;
	int write_rc;
	bool refuses, redirties;
	unsigned int writes, releases, order_nr;
	gfp_t gfp;
	unsigned int task_flags;
	void *order[PAGES]; /* keys in the order of release */
};

static int on_write(struct kmem_lru_owner *o, struct page *page, gfp_t gfp)
{
	struct told_owner *t = (struct told_owner *)(void *)o;

	t->writes++;
	t->gfp = gfp;
	t->task_flags = kmem_task_flags();
	ok(!kmem_lru_dirty(page), "clean while it is written");
	if (t->redirties)
		kmem_lru_set_dirty(page);
	return t->write_rc;
}

static bool on_release(struct kmem_lru_owner *o, struct page *page, gfp_t gfp)
{
	struct told_owner *t = (struct told_owner *)(void *)o;

	t->gfp = gfp;
	if (t->refuses)
		return false;
	t->releases++;
	if (t->order_nr < PAGES)
		t->order[t->order_nr++] = kmem_lru_key(page);
	return true;
}

static struct told_owner owner;
static struct page *pages[PAGES];

static void owner_start(unsigned int flags)
{
	memset(&owner, 0, sizeof(owner));
	owner.o.name = "told";
	owner.o.flags = flags;
	owner.o.writepage = on_write;
	owner.o.release = on_release;
	is(kmem_lru_owner_register(&owner.o), 0);
}

static void add(unsigned int nr, bool dirty)
{
	for (uintptr_t i = 0; i < nr; i++) {
		pages[i] = alloc_page(GFP_USER);
		is(kmem_lru_add(pages[i], &owner.o, (void *)(i + 1), dirty), 0);
	}
}

static void small_machine(void)
{
	machine_start("mem=16M zones=flat nr_cpus=1 percpu_pages=0 kswapd=0");
}

static uint64_t lru_stat(enum kmem_lru_stat what)
{
	uint64_t sum = 0;

	for (int z = 0; z < KMEM_NR_ZONES; z++)
		sum += kmem_stat_get()->zone[z].lru[what];
	return sum;
}

/* As reclaim would, one zone, one priority. */
static unsigned long ask(unsigned long nr, int priority, gfp_t gfp)
{
	return lru_provider.reclaim(&lru_provider, KMEM_ZONE_NORMAL, nr, priority, gfp);
}

static void finish(void)
{
	while (ask(PAGES, 0, GFP_KERNEL))
		;
	is(kmem_lru_owner_unregister(&owner.o), 0);
	machine_stop();
}

TEST(the_oldest_page_goes_first)
{
	small_machine();
	owner_start(0);
	add(5, false);
	is(ask(5, 0, GFP_KERNEL), 5);
	for (uintptr_t i = 0; i < 5; i++)
		is_ptr(owner.order[i], (void *)(i + 1));
	is(owner.writes, 0, "clean pages are not written");
	finish();
}

TEST(a_released_page_is_free_memory)
{
	uint64_t before;

	small_machine();
	owner_start(0);
	before = pages_free_drained();
	add(10, false);
	is(pages_free_drained(), before - 10);
	is(ask(10, 0, GFP_KERNEL), 10);
	is(pages_free_drained(), before);
	finish();
}

TEST(a_dirty_page_is_written_before_it_is_released)
{
	small_machine();
	owner_start(0);
	add(3, true);
	is(lru_stat(KMEM_LRU_DIRTY), 3);
	is(ask(3, 0, GFP_KERNEL), 3);
	is(owner.writes, 3);
	is(owner.releases, 3);
	is(owner.gfp, GFP_KERNEL, "the mask is passed on");
	is(lru_stat(KMEM_LRU_DIRTY) + lru_stat(KMEM_LRU_WRITEBACK), 0);
	finish();
}

TEST(a_mask_without_io_writes_nothing)
{
	small_machine();
	owner_start(0);
	add(3, true);
	is(ask(3, 0, GFP_NOIO), 0);
	is(owner.writes, 0);
	is(ask(3, 0, GFP_NOFS), 3, "NOFS may do I/O");
	is(owner.writes, 3);
	finish();
}

TEST(clean_pages_go_without_io)
{
	small_machine();
	owner_start(0);
	add(6, false);
	kmem_lru_set_dirty(pages[0]);
	kmem_lru_set_dirty(pages[2]);
	is(ask(6, 0, GFP_NOIO), 4, "those that are clean");
	is(owner.writes, 0);
	finish();
	is(owner.writes, 2);
}

TEST(an_owner_that_needs_the_file_system_is_left_alone_without_it)
{
	small_machine();
	owner_start(KMEM_LRU_NEEDS_FS | KMEM_LRU_FILE);
	add(3, false);
	is(ask(3, 0, GFP_NOFS), 0);
	is(ask(3, 0, GFP_NOIO), 0);
	is(owner.releases, 0);
	is(ask(3, 0, GFP_KERNEL), 3);
	finish();
}

TEST(a_failed_write_keeps_the_page_dirty)
{
	small_machine();
	owner_start(0);
	owner.write_rc = -28;
	add(3, true);
	is(ask(3, 0, GFP_KERNEL), 0);
	is(owner.releases, 0);
	is(owner.writes, 3, "each was tried");
	is(lru_stat(KMEM_LRU_DIRTY), 3);
	is(lru_stat(KMEM_LRU_INACTIVE_ANON), 3);
	owner.write_rc = 0;
	is(ask(3, 0, GFP_KERNEL), 3);
	finish();
}

TEST(a_page_dirtied_while_it_is_written_stays)
{
	small_machine();
	owner_start(0);
	owner.redirties = true;
	add(1, true);
	is(ask(1, 0, GFP_KERNEL), 0);
	is(owner.releases, 0);
	ok(kmem_lru_dirty(pages[0]));
	is(lru_stat(KMEM_LRU_DIRTY), 1);
	owner.redirties = false;
	finish();
}

TEST(an_owner_without_writepage_keeps_dirty_pages)
{
	small_machine();
	owner_start(0);
	owner.o.writepage = NULL;
	add(2, true);
	is(ask(2, 0, GFP_KERNEL), 0);
	is(kmem_lru_del(pages[0]), 0);
	is(kmem_lru_del(pages[1]), 0);
	__free_page(pages[0]);
	__free_page(pages[1]);
	finish();
}

TEST(a_refused_release_keeps_the_page)
{
	small_machine();
	owner_start(0);
	owner.refuses = true;
	add(4, false);
	is(ask(4, 0, GFP_KERNEL), 0);
	is(lru_stat(KMEM_LRU_INACTIVE_ANON), 4);
	is(lru_stat(KMEM_LRU_ISOLATED_ANON), 0);
	owner.refuses = false;
	finish();
}

TEST(a_page_somebody_refers_to_is_not_tried)
{
	small_machine();
	owner_start(0);
	add(2, true);
	get_page(pages[0]);
	is(ask(2, 0, GFP_KERNEL), 1);
	is(owner.writes, 1);
	put_page(pages[0]);
	is(ask(2, 0, GFP_KERNEL), 1);
	finish();
}

TEST(a_reference_gives_a_second_chance)
{
	small_machine();
	owner_start(0);
	add(64, false);
	kmem_lru_mark_accessed(pages[0]);
	is(ask(1, 1, GFP_KERNEL), 1);
	is_ptr(owner.order[0], (void *)2, "the first was used");
	is(ask(62, 1, GFP_KERNEL), 62);
	is(lru_stat(KMEM_LRU_INACTIVE_ANON), 1);
	finish();
	is_ptr(owner.order[63], (void *)1, "it went last");
}

TEST(a_second_use_makes_a_page_active)
{
	small_machine();
	owner_start(0);
	add(40, false);
	for (int i = 0; i < 10; i++) {
		kmem_lru_mark_accessed(pages[i]);
		kmem_lru_mark_accessed(pages[i]);
	}
	is(lru_stat(KMEM_LRU_ACTIVE_ANON), 10);
	is(events_of(KMEM_EV_pgactivate), 10);
	is(ask(20, 0, GFP_KERNEL), 20);
	for (int i = 0; i < 20; i++)
		ok((uintptr_t)owner.order[i] > 10, "an inactive one");
	is(events_of(KMEM_EV_pgdeactivate), 0);
	finish();
	is(owner.order_nr, 40);
}

TEST(active_pages_move_over_when_the_inactive_ones_run_out)
{
	small_machine();
	owner_start(0);
	add(20, false);
	for (int i = 0; i < 20; i++) {
		kmem_lru_mark_accessed(pages[i]);
		kmem_lru_mark_accessed(pages[i]);
	}
	is(lru_stat(KMEM_LRU_INACTIVE_ANON), 0);
	is(ask(4, 3, GFP_KERNEL), 4);
	ok(events_of(KMEM_EV_pgdeactivate) >= 4);
	is_ptr(owner.order[0], (void *)1, "the one active longest");
	finish();
}

TEST(at_priority_zero_references_save_nothing)
{
	small_machine();
	owner_start(0);
	add(50, true);
	for (int k = 0; k < 3; k++)
		for (int i = 0; i < 50; i++)
			kmem_lru_mark_accessed(pages[i]);
	is(ask(50, 0, GFP_KERNEL), 50);
	finish();
}

TEST(deleted_pages_are_the_owners_again)
{
	small_machine();
	owner_start(0);
	add(6, true);
	kmem_lru_mark_accessed(pages[1]);
	kmem_lru_mark_accessed(pages[1]);
	for (int i = 0; i < 6; i++)
		is(kmem_lru_del(pages[i]), 0);
	is(lru_stat(KMEM_LRU_DIRTY) + lru_stat(KMEM_LRU_ACTIVE_ANON) +
		   lru_stat(KMEM_LRU_INACTIVE_ANON),
	   0);
	is(ask(6, 0, GFP_KERNEL), 0);
	for (int i = 0; i < 6; i++)
		__free_page(pages[i]);
	is(kmem_misuse_count(), 0);
	finish();
}

TEST(kinds_are_counted_apart)
{
	static char text[1 << 16];

	small_machine();
	owner_start(KMEM_LRU_FILE);
	add(3, false);
	kmem_lru_mark_accessed(pages[0]);
	kmem_lru_mark_accessed(pages[0]);
	is(lru_stat(KMEM_LRU_ACTIVE_FILE), 1);
	is(lru_stat(KMEM_LRU_INACTIVE_FILE), 2);
	kmem_read("vmstat", text, sizeof(text));
	ok(strstr(text, "nr_zone_inactive_file 2\n") && strstr(text, "nr_active_file 1\n") &&
		   strstr(text, "nr_file_pages 3\n") && strstr(text, "nr_inactive_anon 0\n"),
	   "in vmstat");
	ok(strstr(text, "pgactivate 1\n"), "in vmstat");
	kmem_read("zoneinfo", text, sizeof(text));
	ok(strstr(text, "\n      nr_zone_inactive_file 2\n"), "in zoneinfo");
	finish();
}

/* A page that is freed, or added, while it is on a list would take the list along. */
TEST(wrong_pages_are_refused)
{
	struct page *block;

	small_machine();
	owner_start(0);
	add(1, false);
	is(kmem_lru_add(pages[0], &owner.o, NULL, false), -22, "twice");
	__free_page(pages[0]);
	is(reports_of(KMEM_MISUSE_LRU), 2, "freed on a list");
	block = alloc_pages(GFP_USER, 1);
	is(kmem_lru_add(block, &owner.o, NULL, false), -22, "order 1");
	is(kmem_lru_del(block), -22, "on no list");
	kmem_lru_set_dirty(block);
	kmem_lru_mark_accessed(block);
	is(kmem_lru_add(NULL, &owner.o, NULL, false), -22);
	__free_pages(block, 1);
	is(kmem_lru_add(block, &owner.o, NULL, false), -22, "a free one");
	is(reports_of(KMEM_MISUSE_LRU), 8);
	finish();
}

TEST(wrong_owners_are_refused)
{
	struct kmem_lru_owner none = {.name = "none"}, flags = {.release = on_release, .flags = 8};
	struct kmem_lru_owner many[64];
	int full = 0;

	small_machine();
	is(kmem_lru_owner_register(NULL), -22);
	is(kmem_lru_owner_register(&none), -22, "without release");
	is(kmem_lru_owner_register(&flags), -22, "unknown flag");
	owner_start(0);
	is(kmem_lru_owner_register(&owner.o), -22, "twice");
	is(kmem_lru_owner_unregister(&flags), -22, "never registered");
	for (int i = 0; i < 64; i++) {
		many[i] = (struct kmem_lru_owner){.release = on_release};
		full += kmem_lru_owner_register(&many[i]) == -28;
	}
	is(full, 1, "sixty-four in all");
	for (int i = 0; i < 63; i++)
		is(kmem_lru_owner_unregister(&many[i]), 0);
	add(1, false);
	is(kmem_lru_owner_unregister(&owner.o), -16, "it has a page");
	finish();
}

/* ---- Through real requests ------------------------------------------------------------------------ */

TEST(requests_take_pages_back)
{
	unsigned long held_at_end;

	small_machine();
	owner_start(0);
	for (int i = 0; i < 2000; i++) {
		struct page *page = alloc_page(GFP_HIGHUSER);

		ok(page != NULL, "page %d", i);
		is(kmem_lru_add(page, &owner.o, NULL, true), 0);
	}
	for (int i = 0; i < 6000; i++) {
		struct page *page = alloc_page(GFP_HIGHUSER);

		if (!page || kmem_lru_add(page, &owner.o, NULL, true)) {
			ok(0, "page %d", i);
			break;
		}
	}
	held_at_end = (unsigned long)owner.o.nr_pages;
	ok(held_at_end > 2000, "%lu pages on the lists", held_at_end);
	is(owner.releases, 8000 - held_at_end);
	is(owner.writes, owner.releases);
	ok(owner.task_flags & PF_MEMALLOC, "in PF_MEMALLOC");
	is(events_of(KMEM_EV_kmem_alloc_fail), 0);
	is(kmem_check(), 0);
	finish();
}

/* A machine full of dirty pages, and one request of each mask. */
TEST(scopes_decide_whether_a_request_writes)
{
	struct page *page;
	unsigned int saved;

	small_machine();
	owner_start(0);
	for (;;) {
		page = alloc_page((GFP_USER | __GFP_NORETRY | __GFP_NOWARN) & ~__GFP_IO &
				  ~__GFP_FS);
		if (!page)
			break;
		kmem_lru_add(page, &owner.o, NULL, true);
	}
	is(owner.writes, 0, "no I/O for a NOIO request");
	saved = memalloc_noio_save();
	page = alloc_page(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN);
	memalloc_noio_restore(saved);
	ok(!page);
	is(owner.writes, 0, "nor inside a NOIO scope");
	page = alloc_page(GFP_KERNEL);
	ok(page != NULL);
	ok(owner.writes > 0, "GFP_KERNEL writes");
	__free_page(page);
	finish();
}

TEST(a_failure_report_counts_the_lists)
{
	small_machine();
	owner_start(0);
	owner.write_rc = -5;
	for (;;) {
		struct page *page = alloc_page(GFP_KERNEL);

		if (!page)
			break;
		kmem_lru_add(page, &owner.o, NULL, true);
	}
	ok(strstr(support_log, " dirty:") && !strstr(support_log, " dirty:0 "), "in the totals");
	ok(!strstr(support_log, "inactive_anon:0 "), "in the totals");
	is(kmem_lru_owner_unregister(&owner.o), -16);
	owner.write_rc = 0;
	finish();
}

TEST(a_new_machine_knows_no_owner)
{
	small_machine();
	owner_start(0);
	machine_stop();
	is(kmem_lru_owner_unregister(&owner.o), -22);
	small_machine();
	is(kmem_lru_add(alloc_page(GFP_USER), &owner.o, NULL, false), -22);
	machine_stop_with(1);
}

TEST(a_child_of_fork_has_its_own_lists)
{
	int status;
	pid_t pid;

	small_machine();
	owner_start(0);
	add(20, true);
	pid = fork();
	if (pid == 0)
		_exit(ask(20, 0, GFP_KERNEL) == 20 && lru_check() == 0 ? 0 : 1);
	waitpid(pid, &status, 0);
	is(status, 0);
	is(owner.o.nr_pages, 20);
	finish();
}
