# src/reclaim/registry.c
# A walker pins the entry it goes to after the lock is gone.
/^struct kmem_registered \*registry_next/,/^\}/ {
	/^\tif \(e\)/d
	/^\t\te->pins\+\+;/d
	s/^\treturn e;/\tif (e)\n\t\tatom_add(\&e->pins, 1);\n&/
}
