/* SPDX-License-Identifier: MIT */
/* Kernel threads are threads of the host, created asleep: kthread_run() wakes them. */
#ifndef KMEM_ENV_LINUX_KTHREAD_H
#define KMEM_ENV_LINUX_KTHREAD_H
#define _LINUX_KTHREAD_H

#include <linux/types.h>
#include <linux/sched.h>
#ifndef KMEM_ENV_HOSTED
#include <linux/err.h>
#endif

struct completion;
/* An error pointer if there is no thread to be had. */
struct task_struct *kmem_env_kthread(int (*fn)(void *), void *data, const char *fmt, ...);
#define kthread_create(fn, data, ...)		    kmem_env_kthread((fn), (data), __VA_ARGS__)
#define kthread_create_on_node(fn, data, node, ...) kmem_env_kthread((fn), (data), __VA_ARGS__)
#define kthread_create_on_cpu(fn, data, cpu, name)  kmem_env_kthread((fn), (data), (name), (cpu))
#define kthread_run(fn, data, ...)                                                          \
	({                                                                                  \
		struct task_struct *__kmem_t = kmem_env_kthread((fn), (data), __VA_ARGS__); \
		if ((uintptr_t)__kmem_t < (uintptr_t)-4095)                                 \
			wake_up_process(__kmem_t);                                          \
		__kmem_t;                                                                   \
	})
#define kthread_run_on_cpu(fn, data, cpu, name) kthread_run(fn, data, name, cpu)
int kthread_stop(struct task_struct *t);
bool kthread_should_stop(void);
bool kthread_should_park(void);
int kthread_park(struct task_struct *t);
void kthread_unpark(struct task_struct *t);
void kthread_parkme(void);
void kthread_complete_and_exit(struct completion *c, long code) __attribute__((noreturn));
void *kthread_data(struct task_struct *t);
#define kthread_exit(code)		 kthread_complete_and_exit(NULL, (code))
#define kthread_stop_put(t)		 (kthread_stop(t), put_task_struct(t))
#define kthread_freezable_should_stop(w) kthread_should_stop()
#define kthread_bind(t, cpu) \
	do {                 \
		(void)(t);   \
	} while (0)
#define kthread_bind_mask(t, m) \
	do {                    \
		(void)(t);      \
	} while (0)
#define kthread_set_per_cpu(t, cpu) \
	do {                        \
		(void)(t);          \
	} while (0)
#define kthread_use_mm(mm)  \
	do {                \
		(void)(mm); \
	} while (0)
#define kthread_unuse_mm(mm) \
	do {                 \
		(void)(mm);  \
	} while (0)

#endif
