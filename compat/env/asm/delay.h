/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_ASM_DELAY_H
#define KMEM_ENV_ASM_DELAY_H

#include <linux/delay.h>

#endif
