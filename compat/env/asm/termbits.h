/* SPDX-License-Identifier: MIT */
#include <asm-generic/termbits.h>
