// SPDX-License-Identifier: MIT
/* Whether a fault point fails (linux/fault-inject.h): the order of questions is the kernel's. */
#include <stdio.h>
#include <kmem/env.h>
#include <kmem/fault.h>
#include <linux/fault-inject.h>
#include <linux/random.h>
#include <linux/sched.h>

int setup_fault_attr(struct fault_attr *attr, char *str)
{
	unsigned long probability, interval;
	int space, times;

	if (sscanf(str, "%lu,%lu,%d,%d", &interval, &probability, &space, &times) != 4) {
		_printk("FAULT_INJECTION: failed to parse arguments\n");
		return 0;
	}
	attr->interval = interval;
	attr->probability = probability;
	__atomic_store_n(&attr->space.counter, space, __ATOMIC_RELAXED);
	__atomic_store_n(&attr->times.counter, times, __ATOMIC_RELAXED);
	return 1;
}

/* The task's own count: 1 if it runs out with this call, 0 if not yet, -1 if there is none. */
static int nth_decides(void)
{
	int left = kmem_fault_nth(0);

	if (left <= 0)
		return -1;
	kmem_fault_nth(left - 1);
	return left == 1;
}

static bool task_is_marked(void)
{
	bool marked = kmem_fault_task(false);

	kmem_fault_task(marked);
	return marked || current->make_it_fail;
}

static bool attr_decides(struct fault_attr *attr, ssize_t size, bool task)
{
	int space;

	if (!attr->probability || (attr->task_filter && !(task && task_is_marked())) ||
	    !__atomic_load_n(&attr->times.counter, __ATOMIC_RELAXED))
		return false;
	space = __atomic_load_n(&attr->space.counter, __ATOMIC_RELAXED);
	if (space > size) {
		__atomic_sub_fetch(&attr->space.counter, (int)size, __ATOMIC_RELAXED);
		return false;
	}
	if (attr->interval > 1 &&
	    __atomic_add_fetch(&attr->count, 1, __ATOMIC_RELAXED) % attr->interval)
		return false;
	return attr->probability > get_random_u32() % 100;
}

static void times_take(struct fault_attr *attr)
{
	int times = __atomic_load_n(&attr->times.counter, __ATOMIC_RELAXED);

	while (times > 0 && !__atomic_compare_exchange_n(&attr->times.counter, &times, times - 1,
							 false, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

bool should_fail_ex(struct fault_attr *attr, ssize_t size, int flags)
{
	bool task = in_task();
	int nth = task ? nth_decides() : -1;

	if (nth == 0 || (nth < 0 && !attr_decides(attr, size, task)))
		return false;
	if (attr->verbose && !(flags & FAULT_NOWARN)) {
		_printk("FAULT_INJECTION: forcing a failure.\n"
			"name %s, interval %lu, probability %lu, space %d, times %d\n",
			attr->name ? attr->name : "(none)", attr->interval, attr->probability,
			attr->space.counter, attr->times.counter);
		if (attr->verbose > 1)
			dump_stack();
	}
	times_take(attr);
	return true;
}

bool should_fail(struct fault_attr *attr, ssize_t size)
{
	return should_fail_ex(attr, size, 0);
}
