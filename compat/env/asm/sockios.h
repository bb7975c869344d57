/* SPDX-License-Identifier: MIT */
#include <asm-generic/sockios.h>
