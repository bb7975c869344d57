/* SPDX-License-Identifier: MIT */
#include <asm-generic/local64.h>
