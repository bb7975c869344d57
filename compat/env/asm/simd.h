/* SPDX-License-Identifier: MIT */
#include <asm-generic/simd.h>
