# src/slab/create.c
# A walk over the caches does not pin the one it stands on: what it has in hand is missed.
s/atom_add\(&c->pins, 1\);/atom_add(\&c->pins, 0);/
s/atom_sub\(&(prev|c)->pins, 1\);/atom_sub(\&\1->pins, 0);/
