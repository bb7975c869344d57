/* SPDX-License-Identifier: MIT */
#include <asm-generic/mman.h>
