/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_ASM_UACCESS_H
#define KMEM_ENV_ASM_UACCESS_H

#include <linux/uaccess.h>

#endif
