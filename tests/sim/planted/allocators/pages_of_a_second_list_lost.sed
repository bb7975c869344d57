# src/phys/pcp.c
# The CPU has got another list meanwhile: the pages of this one are forgotten.
/^static void pcp_sheaf_put/,/^\}/ {
	/blocks_to_buddy\(z, sheaf->slot, nr, slot, try\);/d
}
