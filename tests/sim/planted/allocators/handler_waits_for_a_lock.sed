# src/sync/lock.c
# A handler in a signal waits for the lock that the code it interrupted holds.
/^bool lock_take_or_try\(/,/^\}/ s/if \(try\)/if (try \&\& l->rank == RANK_BOOT)/
