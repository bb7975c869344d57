# src/sync/rcu.c
# The readers that were there when the period began are not waited for.
/^static bool step_period/,/^\}/ {
	/^\tdefault:/,/return true;/ {
		/if \(!pair_drained/,/return false;/d
	}
}
