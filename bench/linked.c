/* SPDX-License-Identifier: MIT */
/* linked: the allocator is an archive, linked into the program, as `kmem cc` links: no call jumps far. */
#include "pair.h"

WORKLOAD(linked)
{
	pairs(8192);
}
