/* SPDX-License-Identifier: MIT */
/* Simple wait queues are wait queues. */
#ifndef KMEM_ENV_LINUX_SWAIT_H
#define KMEM_ENV_LINUX_SWAIT_H
#define _LINUX_SWAIT_H

#include <linux/wait.h>

#define swait_queue_head	    wait_queue_head
#define swait_queue		    wait_queue_entry
#define init_swait_queue_head(q)    init_waitqueue_head(q)
#define DECLARE_SWAIT_QUEUE_HEAD(n) DECLARE_WAIT_QUEUE_HEAD(n)
#define swake_up_one(q)		    __wake_up((q), TASK_NORMAL, 1, NULL)
#define swake_up_all(q)		    wake_up_all(q)
#define swait_active(q)		    waitqueue_active(q)
#define swait_event_exclusive(q, c) wait_event(q, c)

#endif
