// SPDX-License-Identifier: MIT
/*
 * Per-CPU variables. Those of DEFINE_PER_CPU lie between two symbols of the linker's; CPU 0's copies
 * are the variables themselves, each other CPU has a copy of the whole section as it was at the start.
 * Everything else is a pointer of alloc_percpu().
 *
 * What code keeps for a CPU it gives back when told that the CPU is dead: when the machine stops.
 */
#include "internal.h"
#include <kmem/percpu.h>
#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <string.h>

enum { CPUS = CONFIG_NR_CPUS, ALIGN = 64, CALLBACKS = 16 };

extern char section_start[] __asm__("__start_kmem_env_percpu") __attribute__((weak));
extern char section_stop[] __asm__("__stop_kmem_env_percpu") __attribute__((weak));

static char *copies[CPUS];
static struct cpumask mask;

void env_percpu_start(void)
{
	size_t size = (size_t)(section_stop - section_start);
	unsigned int nr = kmem_env_nr_cpus();

	for (unsigned int cpu = 0; cpu < nr; cpu++)
		mask.bits[cpu / (8 * sizeof(long))] |= 1ul << cpu % (8 * sizeof(long));
	for (unsigned int cpu = 1; size && cpu < nr; cpu++) {
		/* At the section's own place in its line, so that members keep their alignment. */
		size_t shift = (uintptr_t)section_start % ALIGN;
		char *p = env_zalloc(size + 2 * ALIGN);

		p += ALIGN - (uintptr_t)p % ALIGN + shift;
		copies[cpu] = memcpy(p, section_start, size);
	}
}

unsigned int kmem_env_nr_cpus(void)
{
	unsigned int nr = num_possible_cpus();

	return nr > CPUS ? CPUS : nr ? nr : 1;
}

const struct cpumask *kmem_env_cpu_mask(void)
{
	return &mask;
}

unsigned int kmem_env_cpu(void)
{
	unsigned int cpu = smp_processor_id();

	return cpu < CPUS ? cpu : cpu % CPUS;
}

void *kmem_env_per_cpu(const void *p, unsigned int cpu)
{
	const char *at = p;

	if (at < section_start || at >= section_stop)
		return kmem_per_cpu_ptr(p, cpu);
	return cpu && cpu < CPUS && copies[cpu] ? copies[cpu] + (at - section_start)
						: (char *)(uintptr_t)at;
}

static int (*down_calls[CALLBACKS])(unsigned int cpu);
static unsigned int nr_down_calls;

int kmem_env_cpuhp(int (*up)(unsigned int cpu), int (*down)(unsigned int cpu))
{
	int err = 0;

	for (unsigned int cpu = 0; up && !err && cpu < kmem_env_nr_cpus(); cpu++)
		err = up(cpu);
	if (down && nr_down_calls < CALLBACKS)
		down_calls[nr_down_calls++] = down;
	return err;
}

void env_cpus_down(void)
{
	for (unsigned int i = 0; i < nr_down_calls; i++) {
		for (unsigned int cpu = 0; cpu < kmem_env_nr_cpus(); cpu++)
			down_calls[i](cpu);
	}
}
