/* SPDX-License-Identifier: MIT */
#include <asm-generic/termios.h>
