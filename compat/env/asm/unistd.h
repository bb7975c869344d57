/* SPDX-License-Identifier: MIT */
#include <asm-generic/unistd.h>
