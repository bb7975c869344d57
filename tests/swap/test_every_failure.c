/* SPDX-License-Identifier: MIT */
/*
 * The same work with swap again and again, each time with another failure: the n-th transfer of the
 * store once, all from the n-th on, the n-th request for memory. Whatever failed, no byte may be lost:
 * at the end everything is read and compared, the machine is whole and nothing leaks.
 */
#include "../every_failure.h"
#include "pool/pool.h"
#include <kmem/fault.h>
#include <kmem/lru.h>
#include <kmem/swap.h>

enum { PAGES = 24, BYTES = 64 * PAGE_SIZE };

static const char *const machines[] = {
	"mem=4M zones=flat nr_cpus=1 kswapd=0 failslab=1,0,0,0 "
	"fail_page_alloc=1,0,0,0,min-order=0",
	"mem=6M zones=normal:2M,highmem:rest nr_cpus=1 kswapd=0 failslab=1,0,0,0 "
	"fail_page_alloc=1,0,0,0,min-order=0",
};

static struct mem_store area;
static struct kmem_swap_page *handles[PAGES];
static uint64_t values[PAGES]; /* what was written last */
static unsigned int failed;

static void counted(int rc)
{
	failed += rc != 0;
	if (rc && rc != -5 && rc != -12 && rc != -28 && rc != -22)
		ok(0, "error %d", rc);
}

static void page_use(unsigned int i, uint64_t value)
{
	uint64_t *word;
	void *p;
	int rc = kmem_swap_map(handles[i], GFP_HIGHUSER, &p);

	counted(rc);
	if (rc)
		return;
	word = p;
	for (unsigned int k = 0; values[i] && k < PAGE_SIZE / 8; k++)
		if (word[k] != values[i] + k) {
			ok(0, "page %u, word %u", i, k);
			break;
		}
	for (unsigned int k = 0; value && k < PAGE_SIZE / 8; k++)
		word[k] = value + k;
	if (value)
		values[i] = value;
	kmem_swap_unmap(handles[i], p, value != 0);
}

static void push_out(void)
{
	for (int zone = 0; zone < KMEM_NR_ZONES; zone++)
		lru_provider.reclaim(&lru_provider, zone, PAGES, 0, GFP_KERNEL);
}

static void page_new(unsigned int i)
{
	values[i] = 0;
	handles[i] = kmem_swap_alloc(GFP_HIGHUSER);
	counted(handles[i] ? 0 : -12);
	if (handles[i])
		page_use(i, 1000 + i);
}

static void work(void)
{
	counted(kmem_swapon(&area.s));
	for (unsigned int i = 0; i < PAGES; i++)
		page_new(i);
	push_out();
	for (unsigned int i = 0; i < PAGES; i += 2)
		if (handles[i])
			page_use(i, i % 3 ? 5000 + i : 0);
	push_out();
	for (unsigned int i = 0; i < PAGES; i += 5) {
		kmem_swap_free(handles[i]);
		page_new(i);
	}
	for (unsigned int i = 1; i < PAGES; i += 3)
		if (handles[i])
			counted(kmem_swap_in(handles[i], GFP_HIGHUSER));
	push_out();
	counted(kmem_swapoff());
	counted(kmem_swapon(&area.s) == -12 ? -12 : 0);
	push_out();
}

/* Nothing fails any more. before 0: not known yet. */
static void settle(uint64_t before, const char *how, unsigned int n)
{
	kmem_fault_nth(0);
	area.nth = 0;
	failed = 0;
	for (unsigned int i = 0; i < PAGES; i++) {
		if (handles[i])
			page_use(i, 0);
		kmem_swap_free(handles[i]);
		handles[i] = NULL;
	}
	kmem_swapoff(); /* an error if it could not be switched on */
	if (failed)
		ok(0, "%s %u: %u pages could not be read", how, n, failed);
	if (before && pages_free_drained() != before)
		ok(0, "%s %u: pages lost", how, n);
	if (kmem_check() || kmem_misuse_count())
		ok(0, "%s %u: %s", how, n, support_log);
	reports_clear();
}

static uint64_t start(const char *cmdline)
{
	machine_start(cmdline);
	mem_store_start(&area, BYTES);
	work();
	settle(0, "first", 0);
	return pages_free_drained();
}

static void finish(void)
{
	mem_store_stop(&area);
	machine_stop();
}

static void each_transfer(const char *cmdline, bool for_ever, int error)
{
	struct every_failure e = {&area, work, settle, &failed, start(cmdline), 0};
	unsigned int n = every_transfer(&e, for_ever, error);

	ok(n > 60, "%u transfers failed%s, %u runs noticed", n, for_ever ? " and all after" : "",
	   e.noticed);
	ok(e.noticed > 5, "%u runs noticed", e.noticed);
	diag("%s: %u transfers, error %d%s, %u runs noticed", cmdline, n, error,
	     for_ever ? ", for ever" : "", e.noticed);
	finish();
}

TEST(each_transfer_fails_once)
{
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		each_transfer(machines[i], false, -5);
}

TEST(all_transfers_fail_from_some_point_on)
{
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++)
		each_transfer(machines[i], true, -28);
}

TEST(each_request_for_memory_fails_once)
{
	for (size_t i = 0; i < sizeof(machines) / sizeof(machines[0]); i++) {
		struct every_failure e = {&area, work, settle, &failed, start(machines[i]), 0};
		unsigned int n = every_request(&e);

		ok(n > 60 && e.noticed > 40, "%u requests failed, %u noticed", n, e.noticed);
		diag("%s: %u requests, %u runs noticed", machines[i], n, e.noticed);
		finish();
	}
}
