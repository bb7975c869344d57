/* SPDX-License-Identifier: MIT */
#include <asm-generic/unaligned.h>
