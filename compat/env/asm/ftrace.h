/* SPDX-License-Identifier: MIT */
#include <asm-generic/ftrace.h>
