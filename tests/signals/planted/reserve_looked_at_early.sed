# src/pool/mempool.c
# victims: mempool_free: refills
# Whether the reserve has room is looked at before its lock is taken.
/^static bool reserve_put/,/^\}/ {
	s/^\tbool room;$/\tbool room = pool->curr_nr < pool_target(pool);/
	/^\t+room = pool->curr_nr < pool_target\(pool\);$/d
}
