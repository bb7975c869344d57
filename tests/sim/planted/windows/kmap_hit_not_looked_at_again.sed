# src/phys/kmap.c
# The slot may show another page by the time its user is counted.
/^static void \*kmap_hit/,/^\}/ s/if \(likely\(atom_load\(&s->pfn\) == \(u32\)pfn\)\)/if (n)/
