/* SPDX-License-Identifier: MIT */
/* pair: the allocator is a shared library. */
#include "pair.h"

WORKLOAD(pair)
{
	pairs(262144);
}
