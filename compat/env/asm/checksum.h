/* SPDX-License-Identifier: MIT */
#include <asm-generic/checksum.h>
