// SPDX-License-Identifier: MIT
/*
 * The runner of KUnit's suites, which lie in a section of the program, and the resources of a test.
 *
 * Each case (each value of a case with parameters) is a struct kunit of its own, and runs in a kernel
 * thread: suite.init, the case, and in the runner suite.exit and the resources, newest first. A failed
 * assertion or a skip ends the thread. What is wrong is printed where it happens, the verdict after it
 * as KTAP.
 */
#include "internal.h"
#include <errno.h>
#include <linux/completion.h>
#include <linux/kthread.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <kunit/test.h>
#include <stdio.h>
#include <string.h>

extern struct kunit_suite *const suites_start[] __asm__("__start_kmem_env_kunit")
	__attribute__((weak));
extern struct kunit_suite *const suites_stop[] __asm__("__stop_kmem_env_kunit")
	__attribute__((weak));

#undef KBUILD_MODNAME
#define KBUILD_MODNAME "kunit"
static char *filter, *expect_fail;
module_param(filter, charp, 0);
module_param(expect_fail, charp, 0);

struct run {
	struct kunit_suite *suite;
	struct kunit_case *c;
	struct kunit *test;
	struct completion done;
};

/* ---- Saying ------------------------------------------------------------------------------------- */

void kmem_env_kunit_log(const struct kunit *test, int level, const char *fmt, ...)
{
	char text[1024];
	size_t len;
	va_list ap;

	va_start(ap, fmt);
	kmem_env_vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	len = strlen(text);
	_printk("\001%d    # %s: %s%s", level, test->name, text,
		len && text[len - 1] == '\n' ? "" : "\n");
}

static __attribute__((noreturn)) void leave_case(void)
{
	kthread_complete_and_exit(
		kthread_data(current) ? &((struct run *)kthread_data(current))->done : NULL, 0);
}

void kmem_env_kunit_pass(struct kunit *test)
{
	__atomic_fetch_add(&test->checks, 1, __ATOMIC_RELAXED);
}

void kmem_env_kunit_fail(struct kunit *test, bool leave, const char *file, int line,
			 const char *text, long long left, long long right, const char *fmt, ...)
{
	char more[512];
	va_list ap;

	va_start(ap, fmt);
	kmem_env_vsnprintf(more, sizeof(more), fmt, ap);
	va_end(ap);
	kmem_env_kunit_pass(test);
	__atomic_store_n(&test->status, KUNIT_FAILURE, __ATOMIC_RELAXED);
	kmem_env_kunit_log(test, 3, "%s FAILED at %s:%d: %s (%lld, %lld) %s",
			   leave ? "ASSERTION" : "EXPECTATION", file, line, text, left, right,
			   more);
	if (leave)
		leave_case();
}

void kmem_env_kunit_skip(struct kunit *test, bool leave, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	kmem_env_vsnprintf(test->status_comment, sizeof(test->status_comment), fmt, ap);
	va_end(ap);
	test->status = KUNIT_SKIPPED;
	if (leave)
		leave_case();
}

struct kunit *kunit_get_current_test(void)
{
	return current->kunit_test;
}

/* ---- Resources ---------------------------------------------------------------------------------- */

int __kunit_add_resource(struct kunit *test, kunit_resource_init_t init, kunit_resource_free_t free,
			 struct kunit_resource *res, void *data)
{
	int err = 0;

	res->free = free;
	res->refs = 1;
	if (init)
		err = init(res, data);
	else
		res->data = data;
	if (err)
		return err;
	kmem_env_lock(&test->lock, "kunit");
	res->next = test->resources;
	test->resources = res;
	kmem_env_unlock(&test->lock, "kunit");
	return 0;
}

int kunit_add_named_resource(struct kunit *test, kunit_resource_init_t init,
			     kunit_resource_free_t free, struct kunit_resource *res,
			     const char *name, void *data)
{
	struct kunit_resource *other = kunit_find_named_resource(test, name);

	if (!name)
		return -EINVAL;
	if (other) {
		kunit_put_resource(other);
		return -EEXIST;
	}
	res->name = name;
	res->should_kfree = false;
	return __kunit_add_resource(test, init, free, res, data);
}

struct kunit_resource *kunit_alloc_and_get_resource(struct kunit *test, kunit_resource_init_t init,
						    kunit_resource_free_t free, gfp_t gfp,
						    void *context)
{
	struct kunit_resource *res = kzalloc(sizeof(*res), gfp);

	if (!res)
		return NULL;
	res->should_kfree = true;
	if (__kunit_add_resource(test, init, free, res, context)) {
		kfree(res);
		return NULL;
	}
	kunit_get_resource(res);
	return res;
}

void *kunit_alloc_resource(struct kunit *test, kunit_resource_init_t init,
			   kunit_resource_free_t free, gfp_t gfp, void *context)
{
	struct kunit_resource *res = kunit_alloc_and_get_resource(test, init, free, gfp, context);

	if (!res)
		return NULL;
	__atomic_fetch_sub(&res->refs, 1, __ATOMIC_ACQ_REL);
	return res->data;
}

void kunit_get_resource(struct kunit_resource *res)
{
	__atomic_fetch_add(&res->refs, 1, __ATOMIC_RELAXED);
}

void kunit_put_resource(struct kunit_resource *res)
{
	bool ours = res->should_kfree;

	if (__atomic_sub_fetch(&res->refs, 1, __ATOMIC_ACQ_REL) > 0)
		return;
	if (res->free)
		res->free(res);
	if (ours)
		kfree(res);
}

struct kunit_resource *kunit_find_resource(struct kunit *test, kunit_resource_match_t match,
					   void *data)
{
	struct kunit_resource *res;

	kmem_env_lock(&test->lock, "kunit");
	for (res = test->resources; res && !match(test, res, data); res = res->next)
		;
	if (res)
		kunit_get_resource(res);
	kmem_env_unlock(&test->lock, "kunit");
	return res;
}

bool kunit_resource_instance_match(struct kunit *test, struct kunit_resource *res, void *data)
{
	(void)test;
	return res->data == data;
}

bool kunit_resource_name_match(struct kunit *test, struct kunit_resource *res, void *name)
{
	(void)test;
	return res->name && name && strcmp(res->name, name) == 0;
}

struct kunit_resource *kunit_find_named_resource(struct kunit *test, const char *name)
{
	return kunit_find_resource(test, kunit_resource_name_match, (void *)(uintptr_t)name);
}

void kunit_remove_resource(struct kunit *test, struct kunit_resource *res)
{
	struct kunit_resource **at;
	bool found;

	kmem_env_lock(&test->lock, "kunit");
	for (at = &test->resources; *at && *at != res; at = &(*at)->next)
		;
	found = *at != NULL;
	if (found)
		*at = res->next;
	kmem_env_unlock(&test->lock, "kunit");
	if (found)
		kunit_put_resource(res);
}

int kunit_destroy_resource(struct kunit *test, kunit_resource_match_t match, void *data)
{
	struct kunit_resource *res = kunit_find_resource(test, match, data);

	if (!res)
		return -ENOENT;
	kunit_remove_resource(test, res);
	kunit_put_resource(res);
	return 0;
}

static void free_data(struct kunit_resource *res)
{
	kfree(res->data);
}

void *kunit_kmalloc_array(struct kunit *test, size_t n, size_t size, gfp_t gfp)
{
	void *p = kmalloc_array(n, size, gfp);

	if (p && !kunit_alloc_resource(test, NULL, free_data, gfp & ~__GFP_ZERO, p)) {
		kfree(p);
		return NULL;
	}
	return p;
}

void kunit_kfree(struct kunit *test, const void *p)
{
	if (p && kunit_destroy_resource(test, kunit_resource_instance_match, (void *)(uintptr_t)p))
		kmem_env_kunit_fail(test, false, __FILE__, __LINE__, "kunit_kfree", 0, 0,
				    "not of this test");
}

struct action {
	kunit_action_t *fn;
	void *ctx;
};

static void action_free(struct kunit_resource *res)
{
	struct action *a = res->data;

	a->fn(a->ctx);
	kfree(a);
}

static bool action_match(struct kunit *test, struct kunit_resource *res, void *data)
{
	struct action *a = res->data, *want = data;

	(void)test;
	return res->free == action_free && a->fn == want->fn && a->ctx == want->ctx;
}

int kunit_add_action(struct kunit *test, kunit_action_t *fn, void *ctx)
{
	struct action *a = kmalloc(sizeof(*a), GFP_KERNEL);

	if (!a)
		return -ENOMEM;
	*a = (struct action){fn, ctx};
	if (kunit_alloc_resource(test, NULL, action_free, GFP_KERNEL, a))
		return 0;
	kfree(a);
	return -ENOMEM;
}

int kunit_add_action_or_reset(struct kunit *test, kunit_action_t *fn, void *ctx)
{
	int err = kunit_add_action(test, fn, ctx);

	if (err)
		fn(ctx);
	return err;
}

void kunit_release_action(struct kunit *test, kunit_action_t *fn, void *ctx)
{
	struct action want = {fn, ctx};

	kunit_destroy_resource(test, action_match, &want);
}

static void forget_action(void *ctx)
{
	(void)ctx;
}

void kunit_remove_action(struct kunit *test, kunit_action_t *fn, void *ctx)
{
	struct action want = {fn, ctx};
	struct kunit_resource *res = kunit_find_resource(test, action_match, &want);

	if (!res)
		return;
	((struct action *)res->data)->fn = forget_action;
	kunit_remove_resource(test, res);
	kunit_put_resource(res);
}

/*
 * A test that has a resource named "slab_errors" counts what the allocator reports about its caches: an
 * error each for what is found ("BUG") and for what is done about it ("FIX").
 */
static bool wants_report(const char *report)
{
	struct kunit *test = current->kunit_test;
	struct kunit_resource *res = test ? kunit_find_named_resource(test, "slab_errors") : NULL;

	if (!res)
		return false;
	if (report && (strncmp(report, "BUG ", 4) == 0 || strncmp(report, "FIX ", 4) == 0))
		++*(int *)res->data;
	kunit_put_resource(res);
	return true;
}

/* ---- Running ------------------------------------------------------------------------------------ */

static int case_thread(void *arg)
{
	struct run *r = arg;
	int err = 0;

	current->kunit_test = r->test;
	if (r->suite->init)
		err = r->suite->init(r->test);
	if (err)
		kmem_env_kunit_fail(r->test, false, r->suite->name, 0, "init", err, 0,
				    "the suite's init failed");
	else
		r->c->run_case(r->test);
	complete(&r->done);
	return 0;
}

static void release_resources(struct kunit *test)
{
	while (test->resources)
		kunit_remove_resource(test, test->resources);
}

static bool fails_as_expected(const char *name)
{
	return expect_fail && strcmp(expect_fail, name) == 0;
}

/* True if it was as it should be. */
static bool verdict(const struct kunit *test, const char *indent, unsigned int nr, const char *name)
{
	bool failed = test->status == KUNIT_FAILURE, fine = failed == fails_as_expected(name);

	_printk("%s%s %u %s%s%s%s\n", indent, failed ? "not ok" : "ok", nr, name,
		test->status == KUNIT_SKIPPED ? " # SKIP "
		: failed && fine	      ? " # fails as expected"
					      : "",
		test->status == KUNIT_SKIPPED ? test->status_comment : "",
		fine ? "" : " # unexpected");
	if (!fine)
		kmem_env_fail("kunit: %s", name);
	return fine;
}

static void run_once(struct kunit_suite *suite, struct kunit_case *c, struct kunit *test)
{
	struct run r = {.suite = suite, .c = c, .test = test};
	struct task_struct *t = kthread_create(case_thread, &r, "kunit");

	if ((intptr_t)t < 0 && (intptr_t)t >= -4095) {
		test->status = KUNIT_FAILURE;
		return;
	}
	wake_up_process(t);
	wait_for_completion(&r.done);
	kthread_stop(t);
	if (suite->exit)
		suite->exit(test);
	release_resources(test);
}

static void run_params(struct kunit_suite *suite, struct kunit_case *c, struct kunit *sum)
{
	char desc[KUNIT_PARAM_DESC_SIZE] = "";
	const void *p = c->generate_params(NULL, desc);

	for (int i = 0; p; i++, p = c->generate_params(p, desc)) {
		struct kunit test = {.name = c->name, .param_value = p, .param_index = i};

		run_once(suite, c, &test);
		_printk("        %s %d %s\n", test.status == KUNIT_FAILURE ? "not ok" : "ok", i + 1,
			desc[0] ? desc : "parameter");
		if (test.status == KUNIT_FAILURE)
			sum->status = KUNIT_FAILURE;
		sum->checks += test.checks;
		desc[0] = '\0';
	}
}

static bool wanted(const struct kunit_suite *suite, const struct kunit_case *c)
{
	return !filter || strstr(suite->name, filter) || strstr(c->name, filter);
}

static unsigned long run_suite(struct kunit_suite *suite, unsigned int nr, unsigned long *checks)
{
	unsigned long bad = 0;
	unsigned int n = 0;
	int err = suite->suite_init ? suite->suite_init(suite) : 0;

	_printk("    # Subtest: %s\n", suite->name);
	for (struct kunit_case *c = suite->test_cases; c->run_case; c++) {
		struct kunit test = {.name = c->name};

		if (!wanted(suite, c))
			continue;
		if (err)
			test.status = KUNIT_FAILURE;
		else if (c->generate_params)
			run_params(suite, c, &test);
		else
			run_once(suite, c, &test);
		bad += !verdict(&test, "    ", ++n, c->name);
		*checks += test.checks;
	}
	if (suite->suite_exit)
		suite->suite_exit(suite);
	_printk("%s %u %s\n", bad ? "not ok" : "ok", nr, suite->name);
	return bad;
}

static unsigned long run_all(void)
{
	unsigned long bad = 0, checks = 0;
	unsigned int nr = 0;

	if (suites_stop - suites_start == 0)
		return 0;
	_printk("KTAP version 1\n1..%u\n", (unsigned int)(suites_stop - suites_start));
	for (struct kunit_suite *const *s = suites_start; s < suites_stop; s++)
		bad += run_suite(*s, ++nr, &checks);
	_printk("kunit: %lu checks, %lu cases failed\n", checks, bad);
	return bad;
}

static __attribute__((constructor)) void kunit_start(void)
{
	env_kunit_run = run_all;
	env_kunit_wants = wants_report;
}
