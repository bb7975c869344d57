/* SPDX-License-Identifier: MIT */
/* trace: the event ring, its counts and its names. */
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include "trace/trace.h"
#include "tap.h"

enum { CPUS = 2 };
static struct kmem_stat stat_of_test;
static void *ring_mem;
static unsigned int switched_on, switched_off;

static void on_switch(bool on)
{
	if (on)
		switched_on++;
	else
		switched_off++;
}

/* As much of a machine as this floor needs. */
static void rings_start(void)
{
	port_nr_cpus = 1;
	kmem_machine.nr_cpus = CPUS;
	kmem_machine.stat = &stat_of_test;
	kmem_machine.state = MACHINE_ON;
	ring_mem = mmap(NULL, trace_ring_bytes(CPUS), PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	trace_ring_init(ring_mem, CPUS);
	trace_switch_hook = on_switch;
}

TEST(events_come_out_as_they_went_in)
{
	struct kmem_trace_event ev;

	rings_start();
	trace_kfree(NULL, &ev);
	is(kmem_trace_read(0, &ev), 0, "tracing is off");
	kmem_trace_start(NULL, NULL);
	kmem_trace_start(NULL, NULL);
	is(switched_on, 1, "told once");
	trace_kmalloc((void *)0x10, (void *)0x20, 96, 104, GFP_KERNEL_ACCOUNT);
	trace_cache_alloc((void *)0x11, (void *)0x21,
			  "a name that is longer than the field has room", 5, 8, GFP_ATOMIC, true);
	trace_kfree((void *)0x12, (void *)0x22);
	trace_cache_free((void *)0x13, (void *)0x23, "anon_vma");
	trace_page_alloc((void *)0x24, 7, 3, 1, GFP_KERNEL);
	trace_page_alloc(NULL, 7, 3, 1, GFP_KERNEL);
	trace_page_free((void *)0x25, 8, 2);
	kmem_trace_stop();
	kmem_trace_stop();
	is(switched_off, 1, "told once");
	trace_kfree(NULL, &ev);

	ok(kmem_trace_read(0, &ev) && ev.kind == KMEM_TRACE_KMALLOC && ev.call_site == 0x10 &&
	   ev.ptr == 0x20 && ev.bytes_req == 96 && ev.bytes_alloc == 104 && ev.accounted == 1 &&
	   ev.gfp == GFP_KERNEL_ACCOUNT && ev.seq == 0 && ev.cpu == 0);
	ok(kmem_trace_read(0, &ev) && ev.kind == KMEM_TRACE_CACHE_ALLOC && ev.accounted == 1);
	is_str(ev.name, "a name that is longer than the ");
	ok(kmem_trace_read(0, &ev) && ev.kind == KMEM_TRACE_KFREE && ev.ptr == 0x22);
	ok(kmem_trace_read(0, &ev) && ev.kind == KMEM_TRACE_CACHE_FREE);
	is_str(ev.name, "anon_vma");
	ok(kmem_trace_read(0, &ev) && ev.pfn == 7 && ev.order == 3 && ev.migratetype == 1);
	ok(kmem_trace_read(0, &ev) && ev.pfn == 0 && ev.ptr == 0, "a failed request has no page");
	ok(kmem_trace_read(0, &ev) && ev.kind == KMEM_TRACE_PAGE_FREE && ev.pfn == 8);
	is(ev.seq, 6);
	is(kmem_trace_read(0, &ev), 0);
	is(kmem_trace_read(CPUS, &ev), 0, "no such CPU");
}

TEST(a_full_ring_drops_and_counts_and_the_numbers_show_the_gap)
{
	struct kmem_trace_event ev;
	unsigned int n = 0;

	rings_start();
	kmem_trace_start(NULL, NULL);
	for (uintptr_t i = 0; i < TRACE_RING_SLOTS + 10; i++)
		trace_kfree(NULL, (void *)i);
	is(kmem_stat_events(kmem_machine.stat, KMEM_EV_kmem_trace_dropped), 10);
	while (kmem_trace_read(0, &ev))
		is(ev.seq, n++);
	is(n, TRACE_RING_SLOTS);
	trace_kfree(NULL, NULL);
	ok(kmem_trace_read(0, &ev));
	is(ev.seq, TRACE_RING_SLOTS + 10, "the gap is what was dropped");
}

static u64 told_seq;
static void on_event(const struct kmem_trace_event *ev, void *arg)
{
	is_ptr(arg, &told_seq);
	told_seq += ev->seq + 1;
}

TEST(a_function_takes_the_ring_s_place)
{
	struct kmem_trace_event ev;

	rings_start();
	kmem_trace_start(on_event, &told_seq);
	trace_kfree(NULL, NULL);
	trace_kfree(NULL, NULL);
	is(told_seq, 3);
	is(kmem_trace_read(0, &ev), 0);
	kmem_trace_stop();
	trace_ring_init(NULL, 0);
	kmem_trace_start(NULL, NULL);
	trace_kfree(NULL, NULL);
	is(kmem_stat_events(kmem_machine.stat, KMEM_EV_kmem_trace_dropped), 1,
	   "no ring: dropped, and counted");
}

enum { WRITERS = 3, EVENTS = 20000 };
static u32 handler_events, writers_left;

static void on_timer(int sig)
{
	(void)sig;
	trace_kfree((void *)1, (void *)1);
	__atomic_fetch_add(&handler_events, 1u, __ATOMIC_RELAXED);
}

static void *writer(void *arg)
{
	for (int i = 0; i < EVENTS; i++)
		trace_kmalloc(arg, arg, (size_t)(uintptr_t)arg, (size_t)(uintptr_t)arg, GFP_ATOMIC);
	__atomic_fetch_sub(&writers_left, 1u, __ATOMIC_RELAXED);
	return NULL;
}

/* Threads on one ring, a handler in the middle of them, and a reader: nothing is torn, and nothing is
 * lost that was not counted. */
TEST(written_is_read_plus_dropped)
{
	struct sigaction act = {.sa_handler = on_timer, .sa_flags = SA_RESTART};
	struct itimerval every = {{0, 100}, {0, 100}}, never = {{0, 0}, {0, 0}};
	pthread_t t[WRITERS];
	struct kmem_trace_event ev;
	u64 got = 0, torn = 0, last = 0, disorder = 0;

	rings_start();
	kmem_trace_start(NULL, NULL);
	sigaction(SIGALRM, &act, NULL);
	writers_left = WRITERS;
	for (uintptr_t i = 0; i < WRITERS; i++)
		pthread_create(&t[i], NULL, writer, (void *)(100 + i));
	setitimer(ITIMER_REAL, &every, NULL);
	while (__atomic_load_n(&writers_left, __ATOMIC_RELAXED) > 0)
		while (kmem_trace_read(0, &ev)) {
			if (ev.kind == KMEM_TRACE_KMALLOC)
				torn += ev.ptr != ev.call_site || ev.bytes_req != ev.ptr ||
					ev.bytes_alloc != ev.ptr || ev.gfp != GFP_ATOMIC;
			disorder += got > 0 && ev.seq <= last;
			last = ev.seq;
			got++;
		}
	setitimer(ITIMER_REAL, &never, NULL);
	for (int i = 0; i < WRITERS; i++)
		pthread_join(t[i], NULL);
	while (kmem_trace_read(0, &ev)) {
		disorder += got > 0 && ev.seq <= last;
		last = ev.seq;
		got++;
	}
	is(torn, 0);
	is(disorder, 0);
	is(got + kmem_stat_events(kmem_machine.stat, KMEM_EV_kmem_trace_dropped),
	   WRITERS * EVENTS + handler_events);
	diag("%u events, %u by the handler", (unsigned int)got, handler_events);
}

TEST(names)
{
	is_str(kmem_event_name(KMEM_EV_pgalloc_dma), "pgalloc_dma");
	is_str(kmem_event_name(KMEM_NR_EVENTS - 1), "kmem_trace_dropped");
	ok(!kmem_event_name(KMEM_NR_EVENTS) && !kmem_zone_name(KMEM_NR_ZONES) &&
	   !kmem_migratetype_name(KMEM_NR_MT));
	is_str(kmem_zone_name(KMEM_ZONE_DMA32), "DMA32");
	is_str(kmem_zone_name(KMEM_ZONE_HIGHMEM), "HighMem");
	is_str(kmem_zone_name(KMEM_ZONE_MOVABLE), "Movable");
	is_str(kmem_migratetype_name(KMEM_MT_HIGHATOMIC), "HighAtomic");
}
