# src/slab/sheaf.c
# The number of full sheaves in the barn is written again after the lock is gone: a lost update. Who finds none
# where one is counted does not look for ever.
/^static struct sheaf \*barn_pop/,/^\}/ {
	s/^\t\trow\+\+;$/\t\tif (++row > 64)\n\t\t\treturn NULL;/
}
/^static struct sheaf \*barn_get_full/,/^\}/ {
	s/^\treturn s;/\t{\n\t\tu32 had = atom_load(\&c->nr_full);\n\n\t\tatom_store(\&c->nr_full, had);\n\t}\n\treturn s;/
}
