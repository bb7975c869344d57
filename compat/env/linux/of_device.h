/* SPDX-License-Identifier: MIT */
/* There are no device trees: what includes this finds no node. */
#ifndef KMEM_ENV_OF_DEVICE_H
#define KMEM_ENV_OF_DEVICE_H
#define _LINUX_OF_DEVICE_H

#include <linux/device.h>

struct device_node;

#endif
