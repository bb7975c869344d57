/* SPDX-License-Identifier: MIT */
#include <asm-generic/irq_work.h>
