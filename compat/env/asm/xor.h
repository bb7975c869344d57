/* SPDX-License-Identifier: MIT */
#include <asm-generic/xor.h>
