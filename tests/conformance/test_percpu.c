/* SPDX-License-Identifier: MIT */
/* alloc_percpu: S186, the cookie, atomic requests, chunks, handlers, a random walk against a model. */
#include <pthread.h>
#include <sys/wait.h>
#include <kmem/percpu.h>
#include "pressure.h"
#include "pool/pool.h"

#define M64_4 "mem=64M zones=i386 nr_cpus=4 percpu_pages=0"
enum { OBJECTS = 200 };

struct counts {
	unsigned long hits;
	unsigned char rest[92];
};

static bool zeroed(void __percpu *p, size_t size)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
	{
		const unsigned char *copy = per_cpu_ptr((unsigned char *)p, cpu);

		for (size_t i = 0; i < size; i++) {
			if (copy[i])
				return false;
		}
	}
	return true;
}

static void fill(void __percpu *p, size_t size, unsigned int byte)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
		memset(per_cpu_ptr((unsigned char *)p, cpu), (int)(byte + cpu), size);
}

static bool filled(void __percpu *p, size_t size, unsigned int byte)
{
	unsigned int cpu;

	for_each_possible_cpu(cpu)
	{
		const unsigned char *copy = per_cpu_ptr((unsigned char *)p, cpu);

		for (size_t i = 0; i < size; i++) {
			if (copy[i] != (unsigned char)(byte + cpu))
				return false;
		}
	}
	return true;
}

TEST(S186_zeroed_for_every_cpu)
{
	struct counts __percpu *c;
	int cpu, n = 0;

	machine_start(M64_4);
	for (int round = 0; round < 3; round++) {
		c = alloc_percpu(struct counts);
		ok(c && zeroed(c, sizeof(*c)), "zeroed in round %d", round);
		fill(c, sizeof(*c), 1);
		ok(filled(c, sizeof(*c), 1), "each CPU has its own");
		free_percpu(c);
	}
	for_each_possible_cpu(cpu) n++;
	is(n, 4, "four CPUs");
	free_percpu(NULL);
	is(kmem_misuse_count(), 0, "nothing to report");
	machine_stop();
}

static void refuse(size_t size, size_t align)
{
	unsigned int before = reports_of(KMEM_MISUSE_PERCPU_SIZE);
	char text[100];

	ok(!__alloc_percpu(size, align), "size %zu align %zu", size, align);
	is(reports_of(KMEM_MISUSE_PERCPU_SIZE), before + 1, "reported");
	snprintf(text, sizeof(text), "illegal size (%zu) or align (%zu) for percpu allocation",
		 size, align);
	is(log_count(text), 1, "%s", text);
	ok(!__alloc_percpu_gfp(size, align, GFP_KERNEL | __GFP_NOWARN), "NOWARN");
	is(reports_of(KMEM_MISUSE_PERCPU_SIZE), before + 1, "is quiet");
}

TEST(S186_sizes_and_alignments_out_of_range_are_refused)
{
	static const size_t good[][2] = {{1, 1}, {1, 4096}, {32768, 4}, {32768, 4096}, {5, 8}};

	machine_start(M64_4);
	refuse(0, 8);
	refuse(32769, 8);
	refuse(SIZE_MAX, 8);
	refuse(8, 0);
	refuse(8, 3);
	refuse(8, 8192);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		char __percpu *p = __alloc_percpu(good[i][0], good[i][1]);
		unsigned int cpu;

		ok(p != NULL, "size %zu align %zu", good[i][0], good[i][1]);
		for_each_possible_cpu(cpu)
			is((uintptr_t)per_cpu_ptr(p, cpu) % good[i][1], 0, "aligned");
		free_percpu(p);
	}
	machine_stop();
}

static void follow(void *cookie)
{
	*(char *)cookie = 1;
}

TEST(what_is_handed_out_is_no_address)
{
	struct counts __percpu *c;

	machine_start(M64_4);
	c = alloc_percpu(struct counts);
	ok(tap_dies(follow, c, NULL), "following it traps");
	ok((char *)per_cpu_ptr(&c->rest[7], 2) ==
		   (char *)per_cpu_ptr(c, 2) + offsetof(struct counts, rest) + 7,
	   "members have cookies too");
	ok(!per_cpu_ptr(c, 4), "no such CPU");
	free_percpu(c);
	machine_stop();
}

TEST(the_running_cpu)
{
	unsigned int __percpu *p;
	unsigned int cpu, sum = 0;

	machine_start(M64_4);
	p = alloc_percpu(unsigned int);
	for (int i = 0; i < 10; i++) {
		*get_cpu_ptr(p) += 1;
		ok(in_atomic(), "preemption is off");
		put_cpu_ptr(p);
		ok(!in_atomic(), "and on");
		*this_cpu_ptr(p) += 1;
		*raw_cpu_ptr(p) += 1;
	}
	ok(smp_processor_id() < num_possible_cpus(), "a CPU of the machine");
	for_each_possible_cpu(cpu) sum += *per_cpu_ptr(p, cpu);
	is(sum, 30, "nothing is lost");
	free_percpu(p);
	machine_stop();
}

TEST(requests_that_do_not_block_take_what_is_there)
{
	void __percpu *first, *p[9];
	unsigned int n = 0;

	machine_start(M64_4);
	ok(!__alloc_percpu_gfp(8, 8, GFP_ATOMIC), "nothing is there");
	is(log_count("percpu: allocation failed, size=8 align=8 atomic=1, "), 1, "a report");
	first = __alloc_percpu(4096, 8);
	for (n = 0; n < 9; n++) {
		p[n] = __alloc_percpu_gfp(4096, 8, GFP_NOWAIT | __GFP_HIGH);
		if (!p[n])
			break;
		ok(zeroed(p[n], 4096), "zeroed");
	}
	is(n, 7, "what the first one's memory had room for");
	while (n)
		free_percpu(p[--n]);
	free_percpu(first);
	machine_stop();
}

TEST(failures_are_reported_ten_times)
{
	machine_start(M64_4);
	for (int i = 0; i < 30; i++)
		ok(!__alloc_percpu_gfp(8, 8, GFP_ATOMIC | __GFP_NOWARN), "NOWARN");
	is(log_count("percpu: allocation failed"), 0, "is quiet");
	for (int i = 0; i < 30; i++)
		ok(!__alloc_percpu_gfp(8, 8, GFP_ATOMIC), "no memory is there");
	is(log_count("percpu: allocation failed, size=8 align=8 atomic=1, "), 10, "ten");
	is(log_count("limit reached, disable warning"), 1, "and that it was the last");
	machine_stop();
	machine_start(M64_4);
	ok(!__alloc_percpu_gfp(8, 8, GFP_ATOMIC), "another machine");
	is(log_count("percpu: allocation failed"), 1, "begins again");
	machine_stop();
}

TEST(no_memory_is_null_and_changes_nothing)
{
	machine_start(M64_4);
	exhaust(GFP_KERNEL);
	ok(!__alloc_percpu_gfp(100, 8, GFP_KERNEL | __GFP_NORETRY), "NULL");
	is(log_count("atomic=0, failed to"), 1, "and why");
	is(kmem_percpu_check(), 0, "check");
	m64_end();
}

TEST(memory_comes_by_chunks_and_goes_again)
{
	void __percpu *p[10];
	uint64_t before, one;

	machine_start(M64_4);
	before = pages_free_drained();
	for (int i = 0; i < 10; i++)
		p[i] = __alloc_percpu(PCPU_MIN_UNIT_SIZE, 8);
	one = before - pages_free_drained();
	ok(one >= 320 && one < 340, "8 pages a CPU and object: %llu", (unsigned long long)one);
	for (int i = 0; i < 10; i++)
		free_percpu(p[i]);
	one = before - pages_free_drained();
	ok(one >= 32 && one < 52, "one chunk is kept: %llu", (unsigned long long)one);
	p[0] = __alloc_percpu_gfp(PCPU_MIN_UNIT_SIZE, 8, GFP_ATOMIC);
	ok(p[0] != NULL, "and serves the next");
	free_percpu(p[0]);
	machine_stop();
}

TEST(leaks_are_counted_as_objects)
{
	char text[80];

	machine_start(M64_4);
	ok(alloc_percpu(struct counts) && alloc_percpu(char));
	machine_stop_with(2);
	snprintf(text, sizeof(text), "kmem: leak: 2 per-CPU objects, %zu bytes for each CPU",
		 sizeof(struct counts) + 4);
	is(log_count(text), 1, "%s", text);
	machine_start(M64_4);
	free_percpu(alloc_percpu(int));
	machine_stop();
}

TEST(a_handler_that_cannot_have_the_lock)
{
	void __percpu *p[3];
	irqflags_t f;

	machine_start(M64_4);
	for (int i = 0; i < 3; i++)
		p[i] = __alloc_percpu(100, 8);
	pcpu_fork_lock();
	f = port_irq_save();
	ok(!__alloc_percpu_gfp(8, 8, GFP_ATOMIC), "gets nothing");
	free_percpu(p[0]);
	free_percpu(p[1]);
	is(kmem_misuse_count(), 0, "and frees all the same");
	free_percpu(p[1]);
	is(reports_of(KMEM_MISUSE_PERCPU_FREE), 1, "once");
	free_percpu((char *)p[2] + 4);
	is(reports_of(KMEM_MISUSE_PERCPU_FREE), 2, "and only what begins there");
	port_irq_restore(f);
	pcpu_fork_unlock(false);
	free_percpu(p[2]);
	is(kmem_percpu_check(), 0, "the next one does it");
	machine_stop();
}

static bool one_owner(size_t size, unsigned int byte)
{
	void __percpu *p = __alloc_percpu(size, 8);
	bool good = p && zeroed(p, size);

	fill(p, size, byte);
	good = filled(p, size, byte) && good;
	free_percpu(p);
	return good;
}

static void *storm(void *arg)
{
	unsigned int byte = (unsigned int)(uintptr_t)arg, bad = 0;

	for (unsigned int i = 0; i < 2000; i++)
		bad += !one_owner(1 + (i * 37 + byte * 11) % 3000, byte);
	return (void *)(uintptr_t)bad;
}

/* Objects of more than half a unit: chunks get units and lose them all the time. */
static void *storm_of_chunks(void *arg)
{
	unsigned int byte = (unsigned int)(uintptr_t)arg, bad = 0;

	for (unsigned int i = 0; i < 500; i++)
		bad += !one_owner(PCPU_MIN_UNIT_SIZE / 2 + 1 + i * 31, byte);
	return (void *)(uintptr_t)bad;
}

static void four_threads_of(void *(*fn)(void *))
{
	pthread_t thread[4];
	void *bad;

	machine_start(M64_4);
	for (uintptr_t i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, fn, (void *)(i * 50 + 1));
	for (int i = 0; i < 4; i++) {
		pthread_join(thread[i], &bad);
		is((uintptr_t)bad, 0, "every object had one owner");
	}
	is(kmem_percpu_check(), 0);
	machine_stop();
}

TEST(four_threads)
{
	four_threads_of(storm);
}

TEST(four_threads_whose_chunks_come_and_go)
{
	four_threads_of(storm_of_chunks);
}

static bool child_is_well(void)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		void __percpu *p = __alloc_percpu(100, 8);

		free_percpu(p);
		_exit(p ? 0 : 1);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

TEST(a_child_finds_it_unlocked)
{
	pthread_t thread;
	void *bad;

	machine_start(M64_4);
	pthread_create(&thread, NULL, storm, (void *)1);
	for (int i = 0; i < 30; i++)
		ok(child_is_well(), "child %d", i);
	pthread_join(thread, &bad);
	is((uintptr_t)bad, 0, "the parent too");
	machine_stop();
}

TEST(a_random_walk_agrees_with_a_model)
{
	static struct {
		void __percpu *p;
		size_t size;
		unsigned int byte;
	} o[OBJECTS];
	unsigned int nr = 0;
	size_t align;

	machine_start(M64_4);
	for (unsigned int i = 0; i < 4000; i++) {
		unsigned int k = nr ? tap_below(nr) : 0;

		if (nr == 0 || (nr < OBJECTS && tap_below(100) < 52)) {
			o[nr].size = 1 + tap_below(tap_below(8) ? 200 : PCPU_MIN_UNIT_SIZE);
			o[nr].byte = 1 + tap_below(200);
			align = (size_t)1 << tap_below(13);
			o[nr].p = __alloc_percpu(o[nr].size, align);
			ok(o[nr].p && zeroed(o[nr].p, o[nr].size), "step %u", i);
			is((uintptr_t)per_cpu_ptr((char *)o[nr].p, 3) % align, 0, "aligned");
			fill(o[nr].p, o[nr].size, o[nr].byte);
			nr++;
		} else {
			ok(filled(o[k].p, o[k].size, o[k].byte), "step %u: untouched", i);
			free_percpu(o[k].p);
			o[k] = o[--nr];
		}
		if (i % 100 == 0)
			is(kmem_percpu_check(), 0, "check");
	}
	while (nr)
		free_percpu(o[--nr].p);
	is(kmem_misuse_count(), 0, "nothing to report");
	machine_stop();
}
