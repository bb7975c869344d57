# src/phys/pcp.c
# victims: block deferred
# A block is put on the list of what handlers leave by a store: one that came in between is lost.
/^static void defer_push/,/^\}/ s/while \(!atom_cas\(stack, &seen, \(u32\)pfn_of_page\(page\)\)\);/while (atom_store(stack, (u32)pfn_of_page(page)), 0);/
