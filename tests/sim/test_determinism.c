/* SPDX-License-Identifier: MIT */
/* The same inputs and seed give the same run, byte for byte, in this process and in others. */
#include <sys/wait.h>
#include "lib/load.h"
#include "tap.h"

static char *run_text(const struct load_config *c, size_t *len)
{
	struct load_result r;
	const char *text;
	char *copy;

	if (!is(load_run(c, &r), 0, "%s", r.finding))
		return NULL;
	text = sim_log_text(len);
	copy = malloc(*len + 1);
	memcpy(copy, text, *len);
	copy[*len] = '\0';
	return copy;
}

static void same_twice(struct load_config c)
{
	struct load_config other = c;
	size_t n1 = 0, n2 = 0, n3 = 0;
	char *one, *two, *three;

	other.seed += 12345;
	one = run_text(&c, &n1);
	three = run_text(&other, &n3);
	two = run_text(&c, &n2);
	ok(n1 > 10000, "a log of %zu bytes", n1);
	ok(one && two && n1 == n2 && memcmp(one, two, n1) == 0, "%zu and %zu bytes", n1, n2);
	ok(three && (n3 != n1 || memcmp(one, three, n1) != 0), "another seed, another run");
	free(one);
	free(two);
	free(three);
}

TEST(S214_same_seed_same_log_in_one_process)
{
	for (uint64_t seed = 1; seed <= 24; seed++)
		same_twice((struct load_config){
			.seed = seed, .cpus = 4, .ops = 100, .log = SIM_LOG_TEXT});
}

static uint64_t program_hash(const char *command, size_t *len)
{
	uint64_t hash = 0xcbf29ce484222325ull;
	FILE *f = popen(command, "r");
	int c;

	*len = 0;
	if (!f)
		return 0;
	while ((c = getc(f)) != EOF) {
		hash = (hash ^ (unsigned char)c) * 0x100000001b3ull;
		++*len;
	}
	return pclose(f) == 0 ? hash : 0;
}

/* build/.../tests/sim/test_determinism -> build/.../kmem-sim */
static bool find_program(char *path, size_t size)
{
	ssize_t n = readlink("/proc/self/exe", path, size - 1);

	if (n <= 0)
		return false;
	path[n] = '\0';
	for (int up = 0; up < 3; up++) {
		char *slash = strrchr(path, '/');

		if (!slash)
			return false;
		*slash = '\0';
	}
	if (strlen(path) + sizeof("/kmem-sim") > size)
		return false;
	strcat(path, "/kmem-sim");
	return access(path, X_OK) == 0;
}

TEST(S214_same_seed_same_trace_in_two_processes)
{
	char path[4096], command[4300];
	size_t n1, n2;

	if (!ok(find_program(path, sizeof(path)), "kmem-sim is built"))
		return;
	for (unsigned int seed = 1; seed <= 8; seed++) {
		uint64_t one, two;

		snprintf(command, sizeof(command), "'%s' --trace --ops=100 --seed=%u", path, seed);
		one = program_hash(command, &n1);
		two = program_hash(command, &n2);
		ok(one != 0 && n1 > 10000, "%s", command);
		is(one, two, "%s", command);
		is(n1, n2);
	}
}

TEST(the_program_tells_usage_from_findings)
{
	char path[4096], command[4300];

	if (!ok(find_program(path, sizeof(path)), "kmem-sim is built"))
		return;
	snprintf(command, sizeof(command), "'%s' --cpus=0 2>/dev/null", path);
	is(WEXITSTATUS(system(command)), 2);
	snprintf(command, sizeof(command), "'%s' --nonsense 2>/dev/null", path);
	is(WEXITSTATUS(system(command)), 2);
	snprintf(command, sizeof(command), "'%s' --help >/dev/null", path);
	is(WEXITSTATUS(system(command)), 0);
	snprintf(command, sizeof(command), "'%s' --seeds=3 >/dev/null", path);
	is(WEXITSTATUS(system(command)), 0);
}
