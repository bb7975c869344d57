/* SPDX-License-Identifier: MIT */
#include <asm-generic/siginfo.h>
