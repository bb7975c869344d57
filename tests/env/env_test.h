/* SPDX-License-Identifier: MIT */
/* What tests of the environment share: one around a machine, and programs whose end is looked at. */
#ifndef KMEM_ENV_TEST_H
#define KMEM_ENV_TEST_H

#include "support.h"
#include <kmem/env.h>
#include <linux/kthread.h>
#include <linux/sched.h>

#define ENV64 "mem=64M nr_cpus=2 percpu_pages=0"

static TAP_UNUSED void env_begin(void)
{
	machine_start(ENV64);
	is(kmem_env_start(NULL), 0, "the environment starts");
}

/* Nothing was reported, nothing is left. */
static TAP_UNUSED void env_end(void)
{
	is(kmem_env_stop(), 0, "status of the environment");
}

/* Until *word is at least n. */
static TAP_UNUSED void until_at_least(const unsigned int *word, unsigned int n)
{
	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) < n)
		kmem_env_sleep_ns(100000);
}

static TAP_UNUSED void add_one(unsigned int *word)
{
	__atomic_fetch_add(word, 1, __ATOMIC_ACQ_REL);
}

static TAP_UNUSED unsigned int now_is(const unsigned int *word)
{
	return __atomic_load_n(word, __ATOMIC_ACQUIRE);
}

/* A kthread that is stopped before it has begun never does: this one has begun. */
static struct runner {
	int (*fn)(void *arg);
	void *arg;
	unsigned int begun;
} runners[64] TAP_UNUSED;

static TAP_UNUSED int runner_body(void *arg)
{
	struct runner *r = arg;

	add_one(&r->begun);
	return r->fn(r->arg);
}

static TAP_UNUSED struct task_struct *run(int (*fn)(void *), void *arg, const char *name)
{
	static unsigned int nr;
	struct runner *r = &runners[nr++];
	struct task_struct *t;

	*r = (struct runner){fn, arg, 0};
	t = kthread_run(runner_body, r, "%s", name);
	until_at_least(&r->begun, 1);
	return t;
}

/* ---- Programs ----------------------------------------------------------------------------------- */

enum { SAID_MAX = 1 << 16 };
static char said[SAID_MAX] TAP_UNUSED;

/* Runs kmem_env_main() with the words in a process of its own; its status, or 128 + signal. */
static TAP_UNUSED int program(const char *words)
{
	char line[512], *argv[32] = {(char *)(uintptr_t) "program"};
	int argc = 1, fd[2], status = 0;
	size_t used = 0;
	ssize_t n;
	pid_t pid;

	snprintf(line, sizeof(line), "%s", words);
	for (char *w = strtok(line, " "); w && argc < 31; w = strtok(NULL, " "))
		argv[argc++] = w;
	if (pipe(fd) != 0)
		return -1;
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		dup2(fd[1], 2);
		close(fd[0]);
		close(fd[1]);
		_exit(kmem_env_main(argc, argv));
	}
	close(fd[1]);
	while (used + 1 < SAID_MAX && (n = read(fd[0], said + used, SAID_MAX - 1 - used)) > 0)
		used += (size_t)n;
	said[used] = '\0';
	close(fd[0]);
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static TAP_UNUSED bool says(const char *what)
{
	if (strstr(said, what))
		return true;
	diag("it said \"%s\"", said);
	return false;
}

#endif
