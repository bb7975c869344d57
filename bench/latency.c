/* SPDX-License-Identifier: MIT */
/*
 * latency: how long single calls take, in a table of blocks of many sizes up to 2 KiB of which a random
 * one is replaced each time. Each call is timed by the CPU's counter; a histogram keeps the times to
 * 3 % and the largest exactly. A loop with nothing in it is timed the same way, and its own
 * value is taken off each of the others, so what is left is the allocator's: of the middle call, of the
 * slowest of a thousand, and of the slowest at all.
 *
 * A call in which the scheduler took the CPU away is no call of the allocator's: the thread's count
 * of such cases is looked at after every call that took long, and the call is left out if it grew.
 */
#include "harness.h"
#include "api.h"

#include <sys/resource.h>

enum { SLOTS = 4096, FIXED = 512, LEAST = 8, MOST = 2048, SUB = 32, BUCKETS = 64 * SUB };
enum { LONG_NS = 3000 };

#if defined(__x86_64__) || defined(__i386__)
static inline uint64_t ticks(void)
{
	__builtin_ia32_lfence();
	return __builtin_ia32_rdtsc();
}
#else
static inline uint64_t ticks(void)
{
	return now_ns();
}
#endif

struct histogram {
	uint64_t count[BUCKETS], n, most;
};

static double tick_ns;
static uint64_t long_ticks;
static long preempted;
static struct histogram empty, allocs, frees;

static unsigned int bucket_of(uint64_t t)
{
	unsigned int doublings;

	if (t < SUB)
		return (unsigned int)t;
	doublings = 63u - (unsigned int)__builtin_clzll(t) - 5;
	return (doublings + 1) * SUB + (unsigned int)((t >> doublings) - SUB);
}

static uint64_t bucket_value(unsigned int b)
{
	unsigned int doublings = b / SUB;

	return doublings == 0 ? b : (uint64_t)(SUB + b % SUB) << (doublings - 1);
}

static __attribute__((noinline)) bool was_preempted(void)
{
	struct rusage ru;
	bool grew;

	getrusage(RUSAGE_THREAD, &ru);
	grew = ru.ru_nivcsw != preempted;
	preempted = ru.ru_nivcsw;
	return grew;
}

static inline void note(struct histogram *h, uint64_t t)
{
	if (__builtin_expect(t >= long_ticks, 0) && was_preempted())
		return;
	h->count[bucket_of(t)]++;
	h->n++;
	if (t > h->most)
		h->most = t;
}

/* In millionths. */
static double quantile(const struct histogram *h, uint64_t millionths)
{
	uint64_t want = h->n / 1000000 * millionths + h->n % 1000000 * millionths / 1000000,
		 seen = 0;

	for (unsigned int b = 0; b < BUCKETS; b++) {
		seen += h->count[b];
		if (seen > want)
			return (double)bucket_value(b) * tick_ns;
	}
	return (double)h->most * tick_ns;
}

static void calibrate(void)
{
	uint64_t begin = now_ns(), first = ticks(), end;

	do
		end = now_ns();
	while (end - begin < 10000000);
	tick_ns = (double)(end - begin) / (double)(ticks() - first);
	long_ticks = (uint64_t)(LONG_NS / tick_ns);
}

static void *timed_alloc(struct histogram *h, uint32_t size)
{
	uint64_t begin = ticks(), end;
	void *p = api_alloc(size);

	keep(p);
	end = ticks();
	note(h, end - begin);
	touch(need(p));
	return p;
}

static void timed_free(struct histogram *h, void *p)
{
	uint64_t begin = ticks(), end;

	api_free(p);
	keep(p);
	end = ticks();
	note(h, end - begin);
}

static void timed_nothing(struct histogram *h, void *p)
{
	uint64_t begin = ticks(), end;

	keep(p);
	end = ticks();
	note(h, end - begin);
}

static double above(double value, double base)
{
	double least = value / SUB; /* what the histogram cannot tell apart */

	return value - base > least ? value - base : least;
}

static void tell(const char *what, const struct histogram *h)
{
	static const struct {
		const char *name;
		uint64_t millionths;
	} at[] = {{"p50", 500000}, {"p99.9", 999000}};
	char name[32];

	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		snprintf(name, sizeof(name), "%s %s", what, at[i].name);
		case_report(
			name, "ns",
			above(quantile(h, at[i].millionths), quantile(&empty, at[i].millionths)));
	}
	snprintf(name, sizeof(name), "%s max", what);
	case_report(name, "ns", above((double)h->most * tick_ns, (double)empty.most * tick_ns));
}

WORKLOAD(latency)
{
	/* 50 million at 40 ms a case, a million at 6. */
	uint64_t ops = bench.ms * bench.ms * 31250, seed = bench.seed;
	void **slot = own_alloc(SLOTS * sizeof(*slot));

	calibrate();
	api_open(FIXED);
	for (uint32_t i = 0; i < SLOTS; i++)
		slot[i] = need(api_alloc(API_SIZES ? rnd_size(&seed, LEAST, MOST) : FIXED));
	was_preempted();
	for (uint64_t i = 0; i < ops; i++) {
		void **s = &slot[rnd_below(&seed, SLOTS)];
		uint32_t size = API_SIZES ? rnd_size(&seed, LEAST, MOST) : FIXED;

		timed_nothing(&empty, *s);
		timed_free(&frees, *s);
		*s = timed_alloc(&allocs, size);
	}
	for (uint32_t i = 0; i < SLOTS; i++)
		api_free(slot[i]);
	api_close();
	tell("alloc", &allocs);
	tell("free", &frees);
}
