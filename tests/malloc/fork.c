/* SPDX-License-Identifier: MIT */
/* Threads that allocate without pause while others fork; each child allocates, and ends by exit. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WORKERS = 4, FORKERS = 2, FORKS = 40, CHILD_BLOCKS = 300 };

static int stop;

static void churn(unsigned int seed, int rounds)
{
	void *p[64] = {0};

	for (int i = 0; i < rounds; i++) {
		unsigned int at = (unsigned int)rand_r(&seed) % 64;
		size_t size = (size_t)rand_r(&seed) % (i % 50 == 0 ? 200000 : 3000) + 1;

		free(p[at]);
		p[at] = malloc(size);
		if (!p[at])
			abort();
		memset(p[at], 1, size < 64 ? size : 64);
	}
	for (int i = 0; i < 64; i++)
		free(p[i]);
}

static void *worker(void *arg)
{
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		churn((unsigned int)(size_t)arg, 1000);
	return NULL;
}

static void *child_thread(void *arg)
{
	churn((unsigned int)(size_t)arg, CHILD_BLOCKS);
	return NULL;
}

static void child(unsigned int seed)
{
	pthread_t t;

	churn(seed, CHILD_BLOCKS);
	if (pthread_create(&t, NULL, child_thread, (void *)(size_t)seed) != 0)
		_exit(3);
	pthread_join(t, NULL);
	if (seed % 4 == 0) { /* a child that forks again */
		pid_t pid = fork();
		int status;

		if (pid == 0) {
			churn(seed, CHILD_BLOCKS);
			_exit(7);
		}
		if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
		    WEXITSTATUS(status) != 7)
			_exit(4);
	}
	exit(7);
}

static void *forker(void *arg)
{
	size_t bad = 0;

	for (unsigned int i = 0; i < FORKS; i++) {
		pid_t pid = fork();
		int status = 0;

		if (pid == 0)
			child(i + (unsigned int)(size_t)arg);
		churn(i, 100);
		if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
		    WEXITSTATUS(status) != 7)
			bad++;
	}
	return (void *)bad;
}

int main(void)
{
	pthread_t w[WORKERS], f[FORKERS];
	size_t bad = 0;
	void *r;

	for (size_t i = 0; i < WORKERS; i++)
		pthread_create(&w[i], NULL, worker, (void *)i);
	for (size_t i = 0; i < FORKERS; i++)
		pthread_create(&f[i], NULL, forker, (void *)(i * 1000));
	for (int i = 0; i < FORKERS; i++) {
		pthread_join(f[i], &r);
		bad += (size_t)r;
	}
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < WORKERS; i++)
		pthread_join(w[i], NULL);
	printf("%d children, %zu bad\n", FORKERS * FORKS, bad);
	return bad != 0;
}
