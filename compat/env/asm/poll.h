/* SPDX-License-Identifier: MIT */
#include <asm-generic/poll.h>
