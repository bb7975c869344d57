/* SPDX-License-Identifier: MIT */
/* Threads that come and go, whose thread-local destructors free, and allocate, at the very end. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { THREADS = 8, GENERATIONS = 200, KEYS = 4, BLOCKS = 20 };

static pthread_key_t key[KEYS];
static unsigned long destroyed;

struct late {
	int again; /* destructor rounds still to come */
	pthread_key_t key;
	void *block[BLOCKS];
};

static void destroy(void *arg)
{
	struct late *l = arg;

	for (int i = 0; i < BLOCKS; i++) {
		free(l->block[i]);
		l->block[i] = malloc((size_t)i * 97 + 1);
		memset(l->block[i], 1, (size_t)i * 97 + 1);
	}
	if (l->again-- > 0) {
		pthread_setspecific(l->key, l);
		return;
	}
	for (int i = 0; i < BLOCKS; i++)
		free(l->block[i]);
	free(l);
	__atomic_fetch_add(&destroyed, 1, __ATOMIC_RELAXED);
}

static void *thread(void *arg)
{
	(void)arg;
	for (int k = 0; k < KEYS; k++) {
		struct late *l = calloc(1, sizeof(*l));

		l->again = k % 3;
		l->key = key[k];
		for (int i = 0; i < BLOCKS; i++)
			l->block[i] = malloc((size_t)i * 211 + 1);
		pthread_setspecific(key[k], l);
	}
	return malloc(100); /* another thread frees it */
}

int main(void)
{
	for (int k = 0; k < KEYS; k++)
		pthread_key_create(&key[k], destroy);
	for (int g = 0; g < GENERATIONS; g++) {
		pthread_t t[THREADS];
		void *p;

		for (int i = 0; i < THREADS; i++)
			pthread_create(&t[i], NULL, thread, NULL);
		for (int i = 0; i < THREADS; i++) {
			pthread_join(t[i], &p);
			free(p);
		}
	}
	printf("%lu destroyed\n", destroyed);
	return destroyed != (unsigned long)THREADS * GENERATIONS * KEYS;
}
