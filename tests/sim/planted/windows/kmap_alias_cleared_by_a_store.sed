# src/phys/kmap.c
# A slot that is given up forgets its page, though another slot shows that by now.
/^static bool slot_claim/,/^\}/ s/atom_cas\(&phys.alias\[s->pfn\], &seen, 0u\);/atom_store(\&phys.alias[s->pfn], 0u * seen);/
