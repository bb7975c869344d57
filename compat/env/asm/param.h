/* SPDX-License-Identifier: MIT */
#include <asm-generic/param.h>
