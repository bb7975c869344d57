# src/pool/mempool.c
# A handler that cannot have the lock gives the element to free_fn: the reserve loses it.
/^static bool reserve_put/,/^\}/ s/room = aside_put\(pool, el\);/room = false;/
