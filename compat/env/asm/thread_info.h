/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_ASM_THREAD_INFO_H
#define KMEM_ENV_ASM_THREAD_INFO_H

#include <linux/thread_info.h>

#endif
