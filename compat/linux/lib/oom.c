/* SPDX-License-Identifier: MIT */
/*
 * OOM notifiers in the kernel's struct notifier_block, of which only its address and its call are
 * needed: each gets one of libkmem's, which calls it.
 */
#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <kmem/shrinker.h>

int kmem_env_register_oom_notifier(void *nb, int (*call)(void *, unsigned long, void *));
int kmem_env_unregister_oom_notifier(void *nb);

struct adapter {
	struct notifier_block own;
	void *nb;
	int (*call)(void *, unsigned long, void *);
	struct adapter *next;
};
static struct adapter *adapters;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static int forward(struct notifier_block *own, unsigned long action, void *data)
{
	struct adapter *a = (struct adapter *)(void *)((char *)own - offsetof(struct adapter, own));

	return a->call(a->nb, action, data);
}

int kmem_env_register_oom_notifier(void *nb, int (*call)(void *, unsigned long, void *))
{
	struct adapter *a = calloc(1, sizeof(*a));
	int rc;

	if (!a)
		return -ENOMEM;
	a->own.notifier_call = forward;
	a->nb = nb;
	a->call = call;
	rc = register_oom_notifier(&a->own);
	if (rc) {
		free(a);
		return rc;
	}
	pthread_mutex_lock(&lock);
	a->next = adapters;
	adapters = a;
	pthread_mutex_unlock(&lock);
	return 0;
}

int kmem_env_unregister_oom_notifier(void *nb)
{
	struct adapter **at, *a;
	int rc;

	pthread_mutex_lock(&lock);
	for (at = &adapters; *at && (*at)->nb != nb; at = &(*at)->next)
		;
	a = *at;
	if (a)
		*at = a->next;
	pthread_mutex_unlock(&lock);
	if (!a)
		return -ENOENT;
	rc = unregister_oom_notifier(&a->own);
	free(a);
	return rc;
}
