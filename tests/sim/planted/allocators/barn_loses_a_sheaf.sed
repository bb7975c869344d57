# src/slab/sheaf.c
# A handler that finds the barn locked drops the sheaf in its hands.
/^static void sheaf_place/,/^\}/ {
	s/if \(!barn_give\(c, s, nested\)\)/if (!barn_give(c, s, nested) \&\& !nested)/
}
