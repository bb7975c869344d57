/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_LINUX_DEV_PRINTK_H
#define KMEM_ENV_LINUX_DEV_PRINTK_H

#include <linux/device.h>

#endif
