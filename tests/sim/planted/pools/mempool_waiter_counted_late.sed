# src/pool/mempool.c
# A waiter counts itself after it has looked at the reserve, and a free that sees no waiter says
# nothing.
/^static void pool_wake/,/^\}/ s/if \(nr == 0\)/if (nr == 0 || !atom_load(\&pool->waiters))/
/^static void \*wait_for_element/,/^\}/ {
	/^\tatom_add_sc\(&pool->waiters, 1\);/d
	/^\tatom_sub_sc\(&pool->waiters, 1\);/d
	s/^\t\tport_wait\(.*\);/\t\tatom_add_sc(\&pool->waiters, 1);\n&\n\t\tatom_sub_sc(\&pool->waiters, 1);/
}
