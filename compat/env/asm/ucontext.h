/* SPDX-License-Identifier: MIT */
#include <asm-generic/ucontext.h>
