# src/pool/mempool.c
# Whoever lets go of the lock does not look for what a handler left aside meanwhile.
/^static void pool_unlock/,/^\}/ s/^\tpool_settle\(pool\);//
