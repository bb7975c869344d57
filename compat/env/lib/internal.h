/* SPDX-License-Identifier: MIT */
/* What the files of libkmem-env share. They are hosted: the C library is theirs to use. */
#ifndef KMEM_ENV_INTERNAL_H
#define KMEM_ENV_INTERNAL_H

#include <limits.h>
#include <linux/types.h>
#include <kmem/env.h>
#include <kmem/kmem.h>

/* ---- Lists, in the kernel's layout -------------------------------------------------------------- */

#define env_entry(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

static inline void env_list_init(struct list_head *h)
{
	h->next = h;
	h->prev = h;
}

static inline bool env_list_empty(const struct list_head *h)
{
	return h->next == h;
}

static inline void env_list_add_between(struct list_head *n, struct list_head *prev,
					struct list_head *next)
{
	n->prev = prev;
	n->next = next;
	prev->next = n;
	next->prev = n;
}

static inline void env_list_add_tail(struct list_head *n, struct list_head *h)
{
	env_list_add_between(n, h->prev, h);
}

static inline void env_list_del(struct list_head *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	env_list_init(n);
}

/* ---- Threads ------------------------------------------------------------------------------------ */

enum { ENV_STACK = 256 << 10 };

/* A thread of the environment's own, with all signals blocked; it ends the program if there is none. */
void env_thread(void *(*fn)(void *), void *arg, const char *name);

/* Frees nothing: memory of the environment's own that lives as long as the program. */
void *env_zalloc(size_t size);

/* ---- Parts, in the order of their files --------------------------------------------------------- */

bool env_param_word(const char *word);
void env_params_start(void);
/* The program's function at the address, and how far into it; NULL: none of its own. */
const char *env_symbol(const void *p, size_t *offset);
void env_press_start(unsigned int order); /* of the blocks it hoards */
unsigned long env_press_stop(void);	  /* how many pages were taken back */
void env_percpu_start(void);
void env_cpus_down(void);
void env_rcu_quiesce(void);
unsigned int env_seed_set(const char *text);

/* Replaced by the parts that are linked, which register themselves. */
typedef void (*env_hook)(void);
extern env_hook env_quiesce_work, env_quiesce_timers, env_stop_devices;
extern unsigned long (*env_kunit_run)(void);
/* Is the running test one that counts the allocator's reports itself? Counts this one (NULL: none). */
extern bool (*env_kunit_wants)(const char *report);

#endif
