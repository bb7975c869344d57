/* SPDX-License-Identifier: MIT */
#include <asm-generic/trace_clock.h>
