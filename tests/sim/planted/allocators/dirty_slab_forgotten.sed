# src/slab/node.c
# What a handler freed without the lock is noted, but nobody is told to look.
/atom_store_rel\(&c->dirty_any, 1u\);/d
