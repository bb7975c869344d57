/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_LINUX_IO_H
#define KMEM_ENV_LINUX_IO_H
#define _LINUX_IO_H

#include <linux/types.h>
#include <asm/io.h>
#include <asm/page.h>

#endif
