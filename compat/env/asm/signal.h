/* SPDX-License-Identifier: MIT */
#include <asm-generic/signal.h>
