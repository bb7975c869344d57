# src/pool/swap.c
# A page that was dirtied after it was written is released.
/^static bool swap_release/,/^\}/ s/ && !kmem_lru_dirty\(page\)//
