# src/slab/sheaf.c
# The number of full sheaves in the barn is counted down after the lock is gone: a lost update.
/^static struct sheaf \*barn_pop/,/^\}/ {
	s/atom_store\(nr, \*nr - 1\);/if (!full)\n\t\t\tatom_store(nr, *nr - 1);/
}
/^static struct sheaf \*barn_get_full/,/^\}/ {
	s/return s;/if (s) {\n\t\tu32 had = atom_load(\&c->nr_full);\n\n\t\tatom_store(\&c->nr_full, had - 1);\n\t}\n\treturn s;/
}
