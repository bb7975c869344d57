/* SPDX-License-Identifier: MIT */
#include <asm-generic/resource.h>
