/* SPDX-License-Identifier: MIT */
/* Waiting for a bit or a variable: on one of a few queues, chosen by the address. */
#ifndef KMEM_ENV_LINUX_WAIT_BIT_H
#define KMEM_ENV_LINUX_WAIT_BIT_H
#define _LINUX_WAIT_BIT_H

#include <linux/wait.h>
#ifndef KMEM_ENV_HOSTED
#include <linux/bitops.h>
#endif

struct wait_queue_head *kmem_env_var_queue(const void *var);
#define wake_up_var(var)		   ((void)__wake_up(kmem_env_var_queue(var), TASK_NORMAL, 0, NULL))
#define wake_up_bit(word, bit)		   ((void)(bit), wake_up_var(word))
#define wait_var_event(var, c)		   wait_event(*kmem_env_var_queue(var), c)
#define wait_var_event_killable(v, c)	   wait_event_killable(*kmem_env_var_queue(v), c)
#define wait_var_event_interruptible(v, c) wait_event_interruptible(*kmem_env_var_queue(v), c)
#define wait_var_event_timeout(v, c, t)	   wait_event_timeout(*kmem_env_var_queue(v), c, t)
#define wait_on_bit(word, bit, mode)                              \
	({                                                        \
		wait_var_event((word), !test_bit((bit), (word))); \
		0;                                                \
	})
#define wait_on_bit_io(word, bit, mode)		wait_on_bit(word, bit, mode)
#define wait_on_bit_action(word, bit, fn, mode) wait_on_bit(word, bit, mode)
#define wait_on_bit_timeout(word, bit, mode, t) \
	(wait_event_timeout(*kmem_env_var_queue(word), !test_bit((bit), (word)), (t)) ? 0 : -EAGAIN)
#define wait_on_bit_lock(word, bit, mode)                                 \
	({                                                                \
		wait_var_event((word), !test_and_set_bit((bit), (word))); \
		0;                                                        \
	})
#define wait_on_bit_lock_io(word, bit, mode) wait_on_bit_lock(word, bit, mode)
#define clear_and_wake_up_bit(bit, word)                 \
	do {                                             \
		clear_bit_unlock((bit), (word));         \
		__atomic_thread_fence(__ATOMIC_SEQ_CST); \
		wake_up_bit((word), (bit));              \
	} while (0)

#endif
