# src/phys/pcp.c
# victims: page: list refilled
# A per-CPU list is filled from the free lists after the zone lock is gone.
/^static void sheaf_fill/,/^\}/ {
	/zone_unlock\(z, flags\);/d
	s/^\twhile \(left\) \{/\tzone_unlock(z, flags);\n&/
}
