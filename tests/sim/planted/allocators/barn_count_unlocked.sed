# src/slab/sheaf.c
# The number of sheaves in the barn is counted down after the lock is gone: a lost update.
/^static struct sheaf \*barn_take/,/^\}/ {
	s/atom_store\(nr, \*nr - 1\);/;/
	s/return s;/if (s) {\n\t\tu32 had = atom_load(nr);\n\n\t\tatom_store(nr, had - 1);\n\t}\n\treturn s;/
}
