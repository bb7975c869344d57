# src/pool/mempool.c
# A waiter reads the word it will sleep on after it has looked at the reserve: a free in between is
# missed.
/^static void \*wait_for_element/,/^\}/ {
	/u32 seen = atom_load_acq/d
	s/port_wait\(&pool->wakes, seen,/port_wait(\&pool->wakes, atom_load_acq(\&pool->wakes),/
}
