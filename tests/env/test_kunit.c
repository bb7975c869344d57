// SPDX-License-Identifier: MIT
/* KUnit: a check that fails fails the run, an assertion ends its case, resources go newest first. */
#include "env_test.h"
#define IS_ERR_OR_NULL(p) (!(p) || (uintptr_t)(p) >= (uintptr_t)-4095)
#include <linux/module.h>
#include <kunit/test.h>

static int mode;
module_param(mode, int, 0);

static void passes(struct kunit *test)
{
	char *p = kunit_kzalloc(test, 100, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, p);
	KUNIT_EXPECT_EQ(test, p[99], 0);
	KUNIT_EXPECT_STREQ(test, "a", "a");
	KUNIT_EXPECT_LT_MSG(test, 1, 2, "%s", "never said");
}

static void expects(struct kunit *test)
{
	KUNIT_EXPECT_EQ_MSG(test, mode, 0, "mode is %d", mode);
	_printk("went on\n");
}

static void asserts(struct kunit *test)
{
	KUNIT_ASSERT_NE(test, mode, 2);
	_printk("asserted\n");
}

static void skips(struct kunit *test)
{
	if (mode == 3)
		kunit_skip(test, "not in mode %d", mode);
	KUNIT_EXPECT_TRUE(test, mode != 3);
}

static void note(void *text)
{
	_printk("released %s\n", (const char *)text);
}

static void resources(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, kunit_add_action(test, note, (void *)(uintptr_t) "older"), 0);
	KUNIT_EXPECT_EQ(test, kunit_add_action(test, note, (void *)(uintptr_t) "newer"), 0);
	KUNIT_EXPECT_PTR_EQ(test, kunit_get_current_test(), test);
}

static const int values[] = {1, 2, 3};
KUNIT_ARRAY_PARAM(values, values, NULL);

static void takes_params(struct kunit *test)
{
	const int *v = test->param_value;

	KUNIT_EXPECT_EQ(test, *v, values[test->param_index]);
	KUNIT_EXPECT_NE(test, *v * (mode == 4), 2);
}

static struct kunit_case cases[] = {
	KUNIT_CASE(passes),    KUNIT_CASE(expects),
	KUNIT_CASE(asserts),   KUNIT_CASE(skips),
	KUNIT_CASE(resources), KUNIT_CASE_PARAM(takes_params, values_gen_params),
	{NULL, NULL, NULL},
};
static struct kunit_suite suite = {.name = "example", .test_cases = cases};
kunit_test_suite(suite);

TEST(a_suite_that_passes)
{
	is(program("mem=64M"), 0);
	ok(says("ok 1 passes"));
	ok(says("ok 1 example"));
	ok(says("asserted"));
	ok(strstr(said, "newer") < strstr(said, "older"), "newest first");
	ok(!strstr(said, "never said"));
}

TEST(a_failed_expectation_fails_the_run_and_goes_on)
{
	is(program("mem=64M mode=1"), 1);
	ok(says("EXPECTATION FAILED"));
	ok(says("mode is 1"));
	ok(says("went on"));
	ok(says("not ok 2 expects"));
	ok(says("not ok 1 example"));
}

TEST(a_failed_assertion_ends_its_case)
{
	is(program("mem=64M mode=2"), 1);
	ok(says("ASSERTION FAILED"));
	ok(!strstr(said, "asserted"));
	ok(says("ok 5 resources"));
}

TEST(a_skipped_case_is_no_failure)
{
	is(program("mem=64M mode=3 kunit.filter=skips"), 0);
	ok(says("# SKIP not in mode 3"));
}

TEST(a_parameter_that_fails_fails_its_case)
{
	is(program("mem=64M mode=4 kunit.filter=takes_params"), 1);
	ok(says("not ok 2 parameter"));
	ok(says("ok 3 parameter"));
}

TEST(a_failure_that_is_expected_must_happen)
{
	is(program("mem=64M mode=2 kunit.filter=asserts kunit.expect_fail=asserts"), 0);
	is(program("mem=64M mode=0 kunit.filter=asserts kunit.expect_fail=asserts"), 1);
}
