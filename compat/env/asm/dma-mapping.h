/* SPDX-License-Identifier: MIT */
#include <asm-generic/dma-mapping.h>
