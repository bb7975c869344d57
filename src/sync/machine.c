/* SPDX-License-Identifier: MIT */
/* The root of all state, and the one call upward: starting the machine on first use. */
#include "sync/sync.h"

struct kmem_machine kmem_machine;

bool machine_ensure(void)
{
	/* Pairs with boot's release when everything stands. */
	if (likely(atom_load_acq(&kmem_machine.state) == MACHINE_ON))
		return true;
	if (!kmem_boot_hook)
		return false;
	return kmem_boot_hook();
}
