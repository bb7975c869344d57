// SPDX-License-Identifier: MIT
/*
 * The life of an environment: boot, initcalls, exit calls, the check at the end.
 *
 *	start ---> initcalls, level by level ---> (tests of KUnit) ---> exits, in reverse
 *	      ---> callbacks and work are over ---> kmem_check() ---> kmem_shutdown(): leaks
 *
 * Initcalls are found in a section of the program; within a level they run in link order. A module
 * whose initcall fails is not exited, as in the kernel. All that is wrong is counted, and the status
 * is 1 then.
 */
#include "internal.h"
#include <linux/init.h>
#include <kmem/stat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEVELS = 9, COMMAND_LINE = 4096, EXPECTATIONS = 16, ANY_ERROR = 1 };

extern struct kmem_env_initcall calls_start[] __asm__("__start_kmem_env_initcalls")
	__attribute__((weak));
extern struct kmem_env_initcall calls_stop[] __asm__("__stop_kmem_env_initcalls")
	__attribute__((weak));

env_hook env_quiesce_work, env_quiesce_timers, env_stop_devices;
unsigned long (*env_kunit_run)(void);
bool (*env_kunit_wants)(const char *report);

static struct expectation {
	const char *name;
	long value;
} expectations[EXPECTATIONS];
static unsigned int nr_expectations;
static unsigned long expected_warnings, expected_leaks;
static unsigned long misuses;
static int press = -1; /* the order of what is hoarded */

/* ---- Start -------------------------------------------------------------------------------------- */

/* Misuses are counted, but for those that a test of the allocator makes on purpose. */
static void on_misuse(enum kmem_misuse code, const void *addr, void *arg)
{
	(void)code;
	(void)addr;
	(void)arg;
	if (!env_kunit_wants || !env_kunit_wants(NULL))
		__atomic_fetch_add(&misuses, 1, __ATOMIC_RELAXED);
}

/* The library's reports are messages like all others. */
static void on_log(int level, const char *text, size_t len, void *arg)
{
	(void)arg;
	if (!env_kunit_wants || !env_kunit_wants(text))
		_printk("\001%d%.*s%s", level, (int)len, text,
			len && text[len - 1] == '\n' ? "" : "\n");
}

int kmem_env_start(const char *cmdline)
{
	int err = kmem_booted() ? 0 : kmem_boot(cmdline);

	if (err) {
		_printk("kmem-env: boot \"%s\": error %d: %s\n", cmdline ? cmdline : "", err,
			kmem_boot_error());
		return err;
	}
	kmem_set_misuse_hook(on_misuse, NULL);
	kmem_set_log(on_log, NULL);
	(void)kmem_env_jiffies();
	env_percpu_start();
	return 0;
}

/*
 * Parts of a kernel that its start calls by name, for they are needed before any initcall. Which of
 * them the program has is the linker's to know.
 */
extern void radix_tree_init(void) __attribute__((weak));
extern void maple_tree_init(void) __attribute__((weak));

static void start_parts(void)
{
	if (radix_tree_init)
		radix_tree_init();
	if (maple_tree_init)
		maple_tree_init();
}

/* ---- Initcalls ---------------------------------------------------------------------------------- */

static bool expected(const struct kmem_env_initcall *c)
{
	for (unsigned int i = 0; i < nr_expectations; i++) {
		const struct expectation *e = &expectations[i];

		if (strcmp(e->name, "*") && strcmp(e->name, c->name) && strcmp(e->name, c->module))
			continue;
		return e->value == ANY_ERROR ? c->result < 0 : c->result == e->value;
	}
	return c->result == 0;
}

int kmem_env_initcalls(void)
{
	int failed = 0;

	start_parts();
	for (int level = 0; level < LEVELS; level++) {
		for (struct kmem_env_initcall *c = calls_start; c < calls_stop; c++) {
			if (!c->fn || c->level != level)
				continue;
			c->result = c->fn();
			if (!expected(c)) {
				kmem_env_fail("initcall %s of %s returned %d", c->name, c->module,
					      c->result);
				failed++;
			}
			if (preempt_count() || irqs_disabled())
				kmem_env_fail("initcall %s of %s left preempt count %x", c->name,
					      c->module, preempt_count());
		}
	}
	return failed;
}

static bool module_failed(const char *module)
{
	for (const struct kmem_env_initcall *c = calls_start; c < calls_stop; c++) {
		if (c->fn && c->result != 0 && strcmp(c->module, module) == 0)
			return true;
	}
	return false;
}

static void run_exits(void)
{
	size_t nr = (size_t)(calls_stop - calls_start);

	for (size_t i = nr; i-- > 0;) {
		if (calls_start[i].exit && !module_failed(calls_start[i].module))
			calls_start[i].exit();
	}
}

/* ---- Stop --------------------------------------------------------------------------------------- */

void kmem_env_quiesce(void)
{
	/* A callback may queue work, and work a callback: twice is enough for either order. */
	for (int i = 0; i < 2; i++) {
		if (env_quiesce_timers)
			env_quiesce_timers();
		if (env_quiesce_work)
			env_quiesce_work();
		env_rcu_quiesce();
	}
}

static unsigned long long events(enum kmem_event ev)
{
	return kmem_stat_events(kmem_stat_get(), ev);
}

int kmem_env_stop(void)
{
	unsigned long leaks, squeezed;
	int faults;

	run_exits();
	if (env_stop_devices)
		env_stop_devices();
	kmem_env_quiesce();
	env_cpus_down();
	squeezed = env_press_stop();
	faults = kmem_check();
	if (faults)
		kmem_env_fail("kmem_check: %d faults", faults);
	_printk("kmem-env: %llu pages allocated, %llu requests reclaimed directly, %llu slab "
		"objects scanned, "
		"%lu pages squeezed\n",
		events(KMEM_EV_pgalloc_dma) + events(KMEM_EV_pgalloc_dma32) +
			events(KMEM_EV_pgalloc_normal),
		events(KMEM_EV_allocstall_dma) + events(KMEM_EV_allocstall_dma32) +
			events(KMEM_EV_allocstall_normal),
		events(KMEM_EV_slabs_scanned), squeezed);
	leaks = kmem_shutdown();
	if (leaks > expected_leaks)
		kmem_env_fail("%lu leaks", leaks);
	if (misuses)
		kmem_env_fail("%lu misuses", misuses);
	_printk("kmem-env: %lu warnings, %lu failures\n", kmem_env_warnings(), kmem_env_failures());
	if (expected_warnings)
		_printk("kmem-env: %lu warnings were expected\n", expected_warnings);
	return kmem_env_failures() != kmem_env_warnings() ||
	       kmem_env_warnings() != expected_warnings;
}

/* ---- A whole program ---------------------------------------------------------------------------- */

static bool word_is(const char *word, const char *name)
{
	return strncmp(word, name, strlen(name)) == 0;
}

/* "expect=NAME:VALUE", "expect=warnings:N" or "expect=leaks:AT-MOST": true if it is well formed. */
static bool expect(char *text)
{
	char *colon = strrchr(text, ':');

	if (!colon || nr_expectations == EXPECTATIONS)
		return false;
	*colon = '\0';
	if (strcmp(text, "warnings") == 0) {
		expected_warnings = strtoul(colon + 1, NULL, 0);
		return true;
	}
	if (strcmp(text, "leaks") == 0) {
		expected_leaks = strtoul(colon + 1, NULL, 0);
		return true;
	}
	expectations[nr_expectations++] = (struct expectation){
		text, strcmp(colon + 1, "neg") == 0 ? ANY_ERROR : strtol(colon + 1, NULL, 0)};
	return true;
}

extern int console_loglevel;

/* 1: the environment's; 0: the machine's; negative: wrong. */
static int env_word(char *word)
{
	if (word_is(word, "expect="))
		return expect(word + strlen("expect=")) ? 1 : -1;
	if (word_is(word, "loglevel=")) {
		console_loglevel = atoi(word + strlen("loglevel="));
		return 1;
	}
	if (strcmp(word, "env.press") == 0) {
		press = 0;
		return 1;
	}
	if (word_is(word, "env.press=")) {
		char *end, *text = word + strlen("env.press=");

		press = (int)strtoul(text, &end, 10);
		return *text && !*end && press >= 0 && press <= MAX_PAGE_ORDER ? 1 : -1;
	}
	if (word_is(word, "env.seed=")) {
		env_seed_set(word + strlen("env.seed="));
		return 1;
	}
	return 0;
}

int kmem_env_main(int argc, char **argv)
{
	const char *env = getenv("KMEM_CMDLINE");
	char line[COMMAND_LINE];
	size_t len = 0;

	len = (size_t)snprintf(line, sizeof(line), "%s", env ? env : "");
	for (int i = 1; i < argc; i++) {
		int mine = env_word(argv[i]);

		if (mine < 0) {
			_printk("kmem-env: bad word \"%s\"\n", argv[i]);
			return 2;
		}
		if (mine || env_param_word(argv[i]))
			continue;
		len += (size_t)snprintf(line + len, len < sizeof(line) ? sizeof(line) - len : 0,
					"%s%s", len ? " " : "", argv[i]);
		if (len >= sizeof(line))
			return 2;
	}
	if (kmem_env_start(line))
		return 2;
	env_params_start();
	if (press >= 0)
		env_press_start((unsigned int)press);
	kmem_env_initcalls();
	if (env_kunit_run)
		env_kunit_run();
	return kmem_env_stop();
}
