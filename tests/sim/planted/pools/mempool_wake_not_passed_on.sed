# src/pool/mempool.c
# A waiter that got its element from elsewhere keeps the wake-up to itself.
/^\tpool_wake\(pool, atom_load\(&pool->curr_nr\) > 0\);/d
