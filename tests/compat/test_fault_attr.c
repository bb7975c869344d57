// SPDX-License-Identifier: MIT
/* Fault points of the user's own: what attributes and a task's count make fail. */
#include "../env/env_test.h"
#include <kmem/fault.h>
#include <linux/fault-inject.h>

static DECLARE_FAULT_ATTR(attr);

static int failed_of(int calls)
{
	int n = 0;

	for (int i = 0; i < calls; i++)
		n += should_fail(&attr, 1);
	return n;
}

static void set(const char *text)
{
	char str[64];

	snprintf(str, sizeof(str), "%s", text);
	is(setup_fault_attr(&attr, str), 1, "%s", text);
}

TEST(attributes_are_asked_in_the_kernels_order)
{
	struct fault_attr before;
	char bad[] = "1,100,0";

	env_begin();
	attr.verbose = 0;
	is(failed_of(50), 0, "nothing, as it is declared");
	set("1,100,0,-1");
	is(failed_of(50), 50, "each");
	set("5,100,0,-1");
	is(failed_of(50), 10, "one in five");
	set("1,100,20,-1");
	is(failed_of(50), 31, "until what is left is no more than the call's size");
	set("1,100,0,3");
	is(failed_of(50), 3, "so many times");
	set("1,30,0,-1");
	ok(failed_of(1000) > 150, "at random");
	ok(failed_of(1000) < 450, "at random");
	set("1,0,0,-1");
	is(failed_of(50), 0, "never");
	before = attr;
	is(setup_fault_attr(&attr, bad), 0, "three numbers");
	ok(!memcmp(&before, &attr, sizeof(attr)), "nothing has changed");
	env_end();
}

TEST(a_task_that_is_not_marked_is_spared_where_that_is_asked_for)
{
	env_begin();
	set("1,100,0,-1");
	attr.task_filter = true;
	attr.verbose = 0;
	is(failed_of(10), 0, "not marked");
	kmem_fault_task(true);
	is(failed_of(10), 10, "marked");
	ok(kmem_fault_task(false), "and it stays so");
	is(failed_of(10), 0, "no longer");
	attr.task_filter = false;
	env_end();
}

TEST(a_tasks_own_count_goes_before_all_attributes)
{
	env_begin();
	set("1,0,0,-1");
	kmem_fault_nth(3);
	ok(!should_fail(&attr, 1), "the first");
	ok(!should_fail(&attr, 1), "the second");
	ok(should_fail(&attr, 1), "the third");
	ok(!should_fail(&attr, 1), "once");
	is(kmem_fault_nth(0), 0, "it has failed");
	env_end();
}

TEST(a_failure_says_what_failed)
{
	env_begin();
	set("1,100,0,1");
	attr.verbose = 1;
	is((long)fault_create_debugfs_attr("fail_mine", NULL, &attr), -ENODEV);
	is(failed_of(2), 1);
	env_end();
}
