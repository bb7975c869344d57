/* SPDX-License-Identifier: MIT */
/*
 * KUnit: assertions, suites, managed resources of a test, and the runner, which kmem_env_main() calls
 * after the initcalls. Each case runs in a kernel thread, which an assertion that fails ends. Results
 * are printed as KTAP; a failed case makes the program's status 1. "kunit.filter=NAME" runs the cases
 * whose suite or name has NAME in it; "kunit.expect_fail=NAME" says that this case fails, and then it
 * is a failure if it does not.
 */
#ifndef KMEM_ENV_KUNIT_TEST_H
#define KMEM_ENV_KUNIT_TEST_H
#define _KUNIT_TEST_H

#include <linux/types.h>
#include <kmem/env.h>
#ifndef KMEM_ENV_HOSTED
#include <linux/err.h>
#include <linux/init.h>
#include <linux/container_of.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/types.h>
#endif

struct kunit;
struct kunit_resource;
typedef int (*kunit_resource_init_t)(struct kunit_resource *, void *);
typedef void (*kunit_resource_free_t)(struct kunit_resource *);
typedef bool (*kunit_resource_match_t)(struct kunit *, struct kunit_resource *, void *);
typedef void(kunit_action_t)(void *);

struct kunit_resource {
	void *data;
	const char *name;
	kunit_resource_free_t free;
	struct kunit_resource *next; /* of the test's, newest first */
	unsigned int refs;
	bool should_kfree;
};

enum kunit_status { KUNIT_SUCCESS, KUNIT_FAILURE, KUNIT_SKIPPED };
#define KUNIT_PARAM_DESC_SIZE	  128
#define KUNIT_STATUS_COMMENT_SIZE 256

struct kunit {
	void *priv;
	const char *name;
	const void *param_value;
	int param_index;
	enum kunit_status status;
	char status_comment[KUNIT_STATUS_COMMENT_SIZE];
	struct kunit_resource *resources;
	struct kmem_env_lock lock;
	unsigned int checks;
};
struct kunit_case {
	void (*run_case)(struct kunit *test);
	const char *name;
	const void *(*generate_params)(const void *prev, char *desc);
};
struct kunit_suite {
	const char name[256];
	int (*suite_init)(struct kunit_suite *suite);
	void (*suite_exit)(struct kunit_suite *suite);
	int (*init)(struct kunit *test);
	void (*exit)(struct kunit *test);
	struct kunit_case *test_cases;
};

#define KUNIT_CASE(fn)                        \
	{                                     \
		.run_case = (fn), .name = #fn \
	}
#define KUNIT_CASE_SLOW(fn) KUNIT_CASE(fn)
#define KUNIT_CASE_PARAM(fn, gen)                                       \
	{                                                               \
		.run_case = (fn), .name = #fn, .generate_params = (gen) \
	}
#define KUNIT_ARRAY_PARAM(name, array, get_desc)                                          \
	static const void *name##_gen_params(const void *prev, char *desc)                \
	{                                                                                 \
		typeof((array)[0]) *__next = prev ? ((typeof(__next))prev) + 1 : (array); \
		if (__next - (array) < (long)(sizeof(array) / sizeof((array)[0]))) {      \
			void (*__get_desc)(typeof(__next), char *) = get_desc;            \
			if (__get_desc)                                                   \
				__get_desc(__next, desc);                                 \
			return __next;                                                    \
		}                                                                         \
		return NULL;                                                              \
	}
#define __KMEM_SUITES(id, ...)                                                   \
	static struct kunit_suite *const __KMEM_SUITE_NAME(id)[] __attribute__(( \
		used, section("kmem_env_kunit"), aligned(sizeof(void *)))) = {__VA_ARGS__}
#define __KMEM_SUITE_NAME(id)		    __KMEM_SUITE_NAME1(id)
#define __KMEM_SUITE_NAME1(id)		    __kmem_suites_##id
#define kunit_test_suites(...)		    __KMEM_SUITES(__COUNTER__, __VA_ARGS__)
#define kunit_test_suite(suite)		    kunit_test_suites(&suite)
#define kunit_test_init_section_suites(...) kunit_test_suites(__VA_ARGS__)

/* ---- Resources ---------------------------------------------------------------------------------- */

int __kunit_add_resource(struct kunit *test, kunit_resource_init_t init, kunit_resource_free_t free,
			 struct kunit_resource *res, void *data);
int kunit_add_named_resource(struct kunit *test, kunit_resource_init_t init,
			     kunit_resource_free_t free, struct kunit_resource *res,
			     const char *name, void *data);
#define kunit_add_resource(t, i, f, r, d) __kunit_add_resource((t), (i), (f), (r), (d))
struct kunit_resource *kunit_alloc_and_get_resource(struct kunit *test, kunit_resource_init_t init,
						    kunit_resource_free_t free, gfp_t gfp,
						    void *context);
void *kunit_alloc_resource(struct kunit *test, kunit_resource_init_t init,
			   kunit_resource_free_t free, gfp_t gfp, void *context);
struct kunit_resource *kunit_find_resource(struct kunit *test, kunit_resource_match_t match,
					   void *data);
struct kunit_resource *kunit_find_named_resource(struct kunit *test, const char *name);
int kunit_destroy_resource(struct kunit *test, kunit_resource_match_t match, void *data);
void kunit_remove_resource(struct kunit *test, struct kunit_resource *res);
void kunit_get_resource(struct kunit_resource *res);
void kunit_put_resource(struct kunit_resource *res);
bool kunit_resource_instance_match(struct kunit *test, struct kunit_resource *res, void *data);
bool kunit_resource_name_match(struct kunit *test, struct kunit_resource *res, void *name);
void *kunit_kmalloc_array(struct kunit *test, size_t n, size_t size, gfp_t gfp);
void kunit_kfree(struct kunit *test, const void *p);
#define kunit_kmalloc(t, size, gfp)    kunit_kmalloc_array((t), 1, (size), (gfp))
#define kunit_kzalloc(t, size, gfp)    kunit_kmalloc_array((t), 1, (size), (gfp) | __GFP_ZERO)
#define kunit_kcalloc(t, n, size, gfp) kunit_kmalloc_array((t), (n), (size), (gfp) | __GFP_ZERO)
int kunit_add_action(struct kunit *test, kunit_action_t *action, void *ctx);
int kunit_add_action_or_reset(struct kunit *test, kunit_action_t *action, void *ctx);
void kunit_remove_action(struct kunit *test, kunit_action_t *action, void *ctx);
void kunit_release_action(struct kunit *test, kunit_action_t *action, void *ctx);
struct kunit *kunit_get_current_test(void);

/* ---- Saying ------------------------------------------------------------------------------------- */

void kmem_env_kunit_log(const struct kunit *test, int level, const char *fmt, ...);
#define kunit_printk(lvl, test, ...) kmem_env_kunit_log((test), (lvl)[1] - '0', __VA_ARGS__)
#define kunit_info(test, ...)	     kmem_env_kunit_log((test), 6, __VA_ARGS__)
#define kunit_warn(test, ...)	     kmem_env_kunit_log((test), 4, __VA_ARGS__)
#define kunit_err(test, ...)	     kmem_env_kunit_log((test), 3, __VA_ARGS__)
#define kunit_log(lvl, test, ...)    kunit_printk(lvl, test, __VA_ARGS__)
void kmem_env_kunit_skip(struct kunit *test, bool leave, const char *fmt, ...);
#define kunit_mark_skipped(test, ...) kmem_env_kunit_skip((test), false, __VA_ARGS__)
#define kunit_skip(test, ...)	      kmem_env_kunit_skip((test), true, __VA_ARGS__)

/* ---- Checks ------------------------------------------------------------------------------------- */

/* A check that holds is counted; one that does not says so, and ends the case if it is an assertion. */
void kmem_env_kunit_pass(struct kunit *test);
void kmem_env_kunit_fail(struct kunit *test, bool leave, const char *file, int line,
			 const char *text, long long left, long long right, const char *fmt, ...);
#define __KMEM_KUNIT_BIN(test, leave, l, op, r, ...)                                \
	do {                                                                        \
		const typeof((l) + 0) __kmem_l = (l);                               \
		const typeof((r) + 0) __kmem_r = (r);                               \
		if (__kmem_l op __kmem_r)                                           \
			kmem_env_kunit_pass(test);                                  \
		else                                                                \
			kmem_env_kunit_fail((test), (leave), __FILE__, __LINE__,    \
					    #l " " #op " " #r, (long long)__kmem_l, \
					    (long long)__kmem_r, "" __VA_ARGS__);   \
	} while (0)
#define __KMEM_KUNIT_PTR(test, leave, l, op, r, ...)                                          \
	do {                                                                                  \
		const void *__kmem_l = (l), *__kmem_r = (r);                                  \
		if (__kmem_l op __kmem_r)                                                     \
			kmem_env_kunit_pass(test);                                            \
		else                                                                          \
			kmem_env_kunit_fail((test), (leave), __FILE__, __LINE__,              \
					    #l " " #op " " #r, (long long)(intptr_t)__kmem_l, \
					    (long long)(intptr_t)__kmem_r, "" __VA_ARGS__);   \
	} while (0)
#define __KMEM_KUNIT_TRUE(test, leave, cond, text, ...)                                      \
	do {                                                                                 \
		if (cond)                                                                    \
			kmem_env_kunit_pass(test);                                           \
		else                                                                         \
			kmem_env_kunit_fail((test), (leave), __FILE__, __LINE__, text, 0, 1, \
					    "" __VA_ARGS__);                                 \
	} while (0)
#define KUNIT_SUCCEED(test) kmem_env_kunit_pass(test)
#define KUNIT_FAIL(test, ...) \
	kmem_env_kunit_fail((test), false, __FILE__, __LINE__, "failure", 0, 0, __VA_ARGS__)
#define KUNIT_FAIL_AND_ABORT(test, ...) \
	kmem_env_kunit_fail((test), true, __FILE__, __LINE__, "failure", 0, 0, __VA_ARGS__)
#define KUNIT_EXPECT_EQ(t, l, r)	      __KMEM_KUNIT_BIN(t, false, l, ==, r)
#define KUNIT_EXPECT_EQ_MSG(t, l, r, ...)     __KMEM_KUNIT_BIN(t, false, l, ==, r, __VA_ARGS__)
#define KUNIT_EXPECT_NE(t, l, r)	      __KMEM_KUNIT_BIN(t, false, l, !=, r)
#define KUNIT_EXPECT_NE_MSG(t, l, r, ...)     __KMEM_KUNIT_BIN(t, false, l, !=, r, __VA_ARGS__)
#define KUNIT_EXPECT_LT(t, l, r)	      __KMEM_KUNIT_BIN(t, false, l, <, r)
#define KUNIT_EXPECT_LT_MSG(t, l, r, ...)     __KMEM_KUNIT_BIN(t, false, l, <, r, __VA_ARGS__)
#define KUNIT_EXPECT_LE(t, l, r)	      __KMEM_KUNIT_BIN(t, false, l, <=, r)
#define KUNIT_EXPECT_LE_MSG(t, l, r, ...)     __KMEM_KUNIT_BIN(t, false, l, <=, r, __VA_ARGS__)
#define KUNIT_EXPECT_GT(t, l, r)	      __KMEM_KUNIT_BIN(t, false, l, >, r)
#define KUNIT_EXPECT_GT_MSG(t, l, r, ...)     __KMEM_KUNIT_BIN(t, false, l, >, r, __VA_ARGS__)
#define KUNIT_EXPECT_GE(t, l, r)	      __KMEM_KUNIT_BIN(t, false, l, >=, r)
#define KUNIT_EXPECT_GE_MSG(t, l, r, ...)     __KMEM_KUNIT_BIN(t, false, l, >=, r, __VA_ARGS__)
#define KUNIT_EXPECT_PTR_EQ(t, l, r)	      __KMEM_KUNIT_PTR(t, false, l, ==, r)
#define KUNIT_EXPECT_PTR_EQ_MSG(t, l, r, ...) __KMEM_KUNIT_PTR(t, false, l, ==, r, __VA_ARGS__)
#define KUNIT_EXPECT_PTR_NE(t, l, r)	      __KMEM_KUNIT_PTR(t, false, l, !=, r)
#define KUNIT_EXPECT_PTR_NE_MSG(t, l, r, ...) __KMEM_KUNIT_PTR(t, false, l, !=, r, __VA_ARGS__)
#define KUNIT_EXPECT_TRUE(t, c)		      __KMEM_KUNIT_TRUE(t, false, (c), #c)
#define KUNIT_EXPECT_TRUE_MSG(t, c, ...)      __KMEM_KUNIT_TRUE(t, false, (c), #c, __VA_ARGS__)
#define KUNIT_EXPECT_FALSE(t, c)	      __KMEM_KUNIT_TRUE(t, false, !(c), "!(" #c ")")
#define KUNIT_EXPECT_FALSE_MSG(t, c, ...) \
	__KMEM_KUNIT_TRUE(t, false, !(c), "!(" #c ")", __VA_ARGS__)
#define KUNIT_EXPECT_NULL(t, c) __KMEM_KUNIT_TRUE(t, false, !(c), #c " == NULL")
#define KUNIT_EXPECT_NULL_MSG(t, c, ...) \
	__KMEM_KUNIT_TRUE(t, false, !(c), #c " == NULL", __VA_ARGS__)
#define KUNIT_EXPECT_NOT_NULL(t, c) __KMEM_KUNIT_TRUE(t, false, (c) != NULL, #c " != NULL")
#define KUNIT_EXPECT_NOT_NULL_MSG(t, c, ...) \
	__KMEM_KUNIT_TRUE(t, false, (c) != NULL, #c " != NULL", __VA_ARGS__)
#define KUNIT_EXPECT_NOT_ERR_OR_NULL(t, c) \
	__KMEM_KUNIT_TRUE(t, false, !IS_ERR_OR_NULL(c), #c " is no error nor NULL")
#define KUNIT_EXPECT_NOT_ERR_OR_NULL_MSG(t, c, ...) \
	__KMEM_KUNIT_TRUE(t, false, !IS_ERR_OR_NULL(c), #c " is no error nor NULL", __VA_ARGS__)
#define KUNIT_EXPECT_STREQ(t, l, r) \
	__KMEM_KUNIT_TRUE(t, false, strcmp((l), (r)) == 0, #l " and " #r)
#define KUNIT_EXPECT_STREQ_MSG(t, l, r, ...) \
	__KMEM_KUNIT_TRUE(t, false, strcmp((l), (r)) == 0, #l " and " #r, __VA_ARGS__)
#define KUNIT_EXPECT_STRNEQ(t, l, r) \
	__KMEM_KUNIT_TRUE(t, false, strcmp((l), (r)) != 0, #l " and " #r)
#define KUNIT_EXPECT_STRNEQ_MSG(t, l, r, ...) \
	__KMEM_KUNIT_TRUE(t, false, strcmp((l), (r)) != 0, #l " and " #r, __VA_ARGS__)
#define KUNIT_EXPECT_MEMEQ(t, l, r, n) \
	__KMEM_KUNIT_TRUE(t, false, memcmp((l), (r), (n)) == 0, #l " and " #r)
#define KUNIT_EXPECT_MEMEQ_MSG(t, l, r, n, ...) \
	__KMEM_KUNIT_TRUE(t, false, memcmp((l), (r), (n)) == 0, #l " and " #r, __VA_ARGS__)
#define KUNIT_EXPECT_MEMNEQ(t, l, r, n) \
	__KMEM_KUNIT_TRUE(t, false, memcmp((l), (r), (n)) != 0, #l " and " #r)
#define KUNIT_EXPECT_MEMNEQ_MSG(t, l, r, n, ...) \
	__KMEM_KUNIT_TRUE(t, false, memcmp((l), (r), (n)) != 0, #l " and " #r, __VA_ARGS__)
#define KUNIT_ASSERT_EQ(t, l, r)	      __KMEM_KUNIT_BIN(t, true, l, ==, r)
#define KUNIT_ASSERT_EQ_MSG(t, l, r, ...)     __KMEM_KUNIT_BIN(t, true, l, ==, r, __VA_ARGS__)
#define KUNIT_ASSERT_NE(t, l, r)	      __KMEM_KUNIT_BIN(t, true, l, !=, r)
#define KUNIT_ASSERT_NE_MSG(t, l, r, ...)     __KMEM_KUNIT_BIN(t, true, l, !=, r, __VA_ARGS__)
#define KUNIT_ASSERT_LT(t, l, r)	      __KMEM_KUNIT_BIN(t, true, l, <, r)
#define KUNIT_ASSERT_LT_MSG(t, l, r, ...)     __KMEM_KUNIT_BIN(t, true, l, <, r, __VA_ARGS__)
#define KUNIT_ASSERT_LE(t, l, r)	      __KMEM_KUNIT_BIN(t, true, l, <=, r)
#define KUNIT_ASSERT_LE_MSG(t, l, r, ...)     __KMEM_KUNIT_BIN(t, true, l, <=, r, __VA_ARGS__)
#define KUNIT_ASSERT_GT(t, l, r)	      __KMEM_KUNIT_BIN(t, true, l, >, r)
#define KUNIT_ASSERT_GT_MSG(t, l, r, ...)     __KMEM_KUNIT_BIN(t, true, l, >, r, __VA_ARGS__)
#define KUNIT_ASSERT_GE(t, l, r)	      __KMEM_KUNIT_BIN(t, true, l, >=, r)
#define KUNIT_ASSERT_GE_MSG(t, l, r, ...)     __KMEM_KUNIT_BIN(t, true, l, >=, r, __VA_ARGS__)
#define KUNIT_ASSERT_PTR_EQ(t, l, r)	      __KMEM_KUNIT_PTR(t, true, l, ==, r)
#define KUNIT_ASSERT_PTR_EQ_MSG(t, l, r, ...) __KMEM_KUNIT_PTR(t, true, l, ==, r, __VA_ARGS__)
#define KUNIT_ASSERT_PTR_NE(t, l, r)	      __KMEM_KUNIT_PTR(t, true, l, !=, r)
#define KUNIT_ASSERT_PTR_NE_MSG(t, l, r, ...) __KMEM_KUNIT_PTR(t, true, l, !=, r, __VA_ARGS__)
#define KUNIT_ASSERT_TRUE(t, c)		      __KMEM_KUNIT_TRUE(t, true, (c), #c)
#define KUNIT_ASSERT_TRUE_MSG(t, c, ...)      __KMEM_KUNIT_TRUE(t, true, (c), #c, __VA_ARGS__)
#define KUNIT_ASSERT_FALSE(t, c)	      __KMEM_KUNIT_TRUE(t, true, !(c), "!(" #c ")")
#define KUNIT_ASSERT_FALSE_MSG(t, c, ...)     __KMEM_KUNIT_TRUE(t, true, !(c), "!(" #c ")", __VA_ARGS__)
#define KUNIT_ASSERT_NULL(t, c)		      __KMEM_KUNIT_TRUE(t, true, !(c), #c " == NULL")
#define KUNIT_ASSERT_NULL_MSG(t, c, ...) \
	__KMEM_KUNIT_TRUE(t, true, !(c), #c " == NULL", __VA_ARGS__)
#define KUNIT_ASSERT_NOT_NULL(t, c) __KMEM_KUNIT_TRUE(t, true, (c) != NULL, #c " != NULL")
#define KUNIT_ASSERT_NOT_NULL_MSG(t, c, ...) \
	__KMEM_KUNIT_TRUE(t, true, (c) != NULL, #c " != NULL", __VA_ARGS__)
#define KUNIT_ASSERT_NOT_ERR_OR_NULL(t, c) \
	__KMEM_KUNIT_TRUE(t, true, !IS_ERR_OR_NULL(c), #c " is no error nor NULL")
#define KUNIT_ASSERT_NOT_ERR_OR_NULL_MSG(t, c, ...) \
	__KMEM_KUNIT_TRUE(t, true, !IS_ERR_OR_NULL(c), #c " is no error nor NULL", __VA_ARGS__)
#define KUNIT_ASSERT_STREQ(t, l, r) __KMEM_KUNIT_TRUE(t, true, strcmp((l), (r)) == 0, #l " and " #r)
#define KUNIT_ASSERT_STREQ_MSG(t, l, r, ...) \
	__KMEM_KUNIT_TRUE(t, true, strcmp((l), (r)) == 0, #l " and " #r, __VA_ARGS__)
#define KUNIT_ASSERT_STRNEQ(t, l, r) \
	__KMEM_KUNIT_TRUE(t, true, strcmp((l), (r)) != 0, #l " and " #r)
#define KUNIT_ASSERT_STRNEQ_MSG(t, l, r, ...) \
	__KMEM_KUNIT_TRUE(t, true, strcmp((l), (r)) != 0, #l " and " #r, __VA_ARGS__)
#define KUNIT_ASSERT_MEMEQ(t, l, r, n) \
	__KMEM_KUNIT_TRUE(t, true, memcmp((l), (r), (n)) == 0, #l " and " #r)
#define KUNIT_ASSERT_MEMEQ_MSG(t, l, r, n, ...) \
	__KMEM_KUNIT_TRUE(t, true, memcmp((l), (r), (n)) == 0, #l " and " #r, __VA_ARGS__)
#define KUNIT_ASSERT_MEMNEQ(t, l, r, n) \
	__KMEM_KUNIT_TRUE(t, true, memcmp((l), (r), (n)) != 0, #l " and " #r)
#define KUNIT_ASSERT_MEMNEQ_MSG(t, l, r, n, ...) \
	__KMEM_KUNIT_TRUE(t, true, memcmp((l), (r), (n)) != 0, #l " and " #r, __VA_ARGS__)

#endif
