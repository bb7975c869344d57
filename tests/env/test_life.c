// SPDX-License-Identifier: MIT
/* A program of initcalls from its boot to its status: what is wrong in between is in the status. */
#include "env_test.h"
#include <asm/bug.h>
#include <linux/module.h>
#include <linux/smp.h>
#include <linux/percpu-defs.h>

static int mode;
module_param(mode, int, 0644);
static char *word = (char *)(uintptr_t) "default";
module_param(word, charp, 0444);
static bool flag;
module_param(flag, bool, 0444);
static int list[4];
static unsigned int list_len;
module_param_array(list, int, &list_len, 0444);

enum { FINE, WARNS, BUGS, FAILS, LEAKS, PANICS, HOLDS, ONCE };

static char order[16];

static void came(char c)
{
	order[strlen(order)] = c;
}

static int first(void)
{
	came('1');
	return 0;
}

static int second(void)
{
	came('2');
	return 0;
}

static int last(void)
{
	came('3');
	_printk("order %s word %s flag %d list %u: %d %d\n", order, word, flag, list_len, list[0],
		list[1]);
	return 0;
}

static int act(void)
{
	switch (mode) {
	case WARNS:
		WARN(1, "this is %s\n", "a warning");
		break;
	case ONCE:
		for (int i = 0; i < 5; i++)
			WARN_ON_ONCE(i >= 0);
		break;
	case BUGS:
		BUG_ON(mode == BUGS);
		break;
	case FAILS:
		return -12;
	case LEAKS:
		ok(kmalloc(100, GFP_KERNEL) != NULL);
		break;
	case PANICS:
		panic("out of %d", 42);
	case HOLDS:
		preempt_disable();
		break;
	default:
		break;
	}
	return 0;
}

static void leave(void)
{
	_printk("left\n");
}

late_initcall(last);
module_init(act);
core_initcall(second);
early_initcall(first);
module_exit(leave);

TEST(initcalls_come_by_level_and_exits_at_the_end)
{
	is(program("mem=64M"), 0);
	ok(says("order 123 word default flag 0"));
	ok(says("left"));
}

TEST(parameters_are_words_of_the_command_line)
{
	is(program("mem=64M word=hello flag list=3,4"), 0);
	ok(says("word hello flag 1 list 2: 3 4"));
	is(program("mem=64M flag=maybe"), 1);
	is(program("mem=64M list=1,2,3,4,5"), 1);
}

TEST(a_word_that_is_nobodys_is_refused)
{
	is(program("mem=64M nonsense=1"), 2);
	ok(says("nonsense"));
}

TEST(a_warning_is_in_the_status_and_has_a_stack)
{
	is(program("mem=64M mode=1"), 1);
	ok(says("this is a warning"));
	ok(says("WARNING: CPU: "));
	ok(says("test_life.c:"));
	ok(says("Call Trace:"));
	ok(says(" act+0x"), "a static function has its name");
	ok(says("1 warnings"));
}

TEST(a_warning_once_comes_once)
{
	is(program("mem=64M mode=7"), 1);
	ok(says("1 warnings"));
}

TEST(bug_and_panic_end_the_program)
{
	is(program("mem=64M mode=2"), 128 + SIGABRT);
	ok(says("kernel BUG at "));
	ok(says("Call Trace:"));
	is(program("mem=64M mode=5"), 128 + SIGABRT);
	ok(says("Kernel panic - not syncing: out of 42"));
}

TEST(a_failed_initcall_is_in_the_status_unless_it_is_expected)
{
	is(program("mem=64M mode=3"), 1);
	ok(says("initcall act of "));
	ok(!strstr(said, "left"), "a module that failed is not exited");
	is(program("mem=64M mode=3 expect=act:-12"), 0);
	is(program("mem=64M mode=3 expect=*:neg"), 1, "the others return 0");
	is(program("mem=64M mode=3 expect=act:-11"), 1);
	is(program("mem=64M mode=0 expect=act:-12"), 1, "then it must fail");
}

TEST(a_leak_is_in_the_status)
{
	is(program("mem=64M mode=4"), 1);
	ok(says("1 leaks"));
}

TEST(an_initcall_that_leaves_preemption_off_is_in_the_status)
{
	is(program("mem=64M mode=6"), 1);
	ok(says("left preempt count 1"));
}

DEFINE_PER_CPU(int, counter) = 5;

TEST(a_per_cpu_variable_has_a_copy_for_each_cpu)
{
	int sum = 0;
	unsigned int cpu;

	env_begin();
	for_each_possible_cpu(cpu)
	{
		is(per_cpu(counter, cpu), 5, "as it was initialized");
		per_cpu(counter, cpu) += (int)cpu;
	}
	this_cpu_inc(counter);
	for_each_possible_cpu(cpu) sum += per_cpu(counter, cpu);
	is(sum, 5 + 6 + 1);
	is_ptr(&per_cpu(counter, 0), &counter);
	env_end();
}

struct va_format {
	const char *fmt;
	va_list *va;
};

static void format(const char *want, const char *fmt, ...)
{
	char buf[128], outer[128];
	struct va_format vf = {.fmt = fmt};
	va_list ap, again;

	va_start(ap, fmt);
	va_copy(again, ap);
	is(kmem_env_vsnprintf(buf, sizeof(buf), fmt, ap), strlen(want), "length of %s", want);
	is_str(buf, want);
	vf.va = &again;
	kmem_env_snprintf(outer, sizeof(outer), "<%pV>", &vf);
	ok(outer[0] == '<' && !strncmp(outer + 1, want, strlen(want)), "%s", outer);
	va_end(again);
	va_end(ap);
}

TEST(formats_are_the_kernels)
{
	unsigned char mac[] = {1, 2, 0xab, 4, 5, 6}, ip[] = {127, 0, 0, 1};
	char small[4];

	format("plain 100%", "plain %d%%", 100);
	format("[   -5] [0042] [2a]", "[%5d] [%04u] [%x]", -5, 42u, 42u);
	format("255 -1 18446744073709551615", "%hhu %hd %llu", 255u, -1, ~0ull);
	format("abc|  abc|abc  |ab", "%s|%5s|%-5s|%.2s", "abc", "abc", "abc", "abc");
	format("(null)", "%s", (char *)NULL);
	format("-ENOMEM", "%pe", (void *)(intptr_t)-12);
	format("01:02:ab:04:05:06", "%pM", (void *)mac);
	format("127.0.0.1", "%pI4", (void *)ip);
	format("01 02 ab", "%*ph", 3, (void *)mac);
	format("0102abc", "%*phNc", 3, (void *)mac);
	format("x", "%c", 'x');
	is(kmem_env_snprintf(small, sizeof(small), "%d", 123456), 6);
	is_str(small, "123");
	is(scnprintf(small, sizeof(small), "%d", 123456), 3);
}
