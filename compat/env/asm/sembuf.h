/* SPDX-License-Identifier: MIT */
#include <asm-generic/sembuf.h>
