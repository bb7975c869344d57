/* SPDX-License-Identifier: MIT */
#include <asm-generic/kdebug.h>
