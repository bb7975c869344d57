# src/sync/lock.c
# victims: kmalloc: a sheaf of the barn
# A handler waits for the lock that the code it interrupted holds.
/^bool lock_take_or_try\(/,/^\}/ s/if \(try\)/if (try \&\& l->rank == RANK_BOOT)/
