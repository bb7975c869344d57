# src/phys/kmap.c
# Who waits for a slot counts himself after he has looked for one.
/^static void \*kmap_wait/,/^\}/ {
	/^\tatom_add_sc\(&kmap_waiters, 1\);/d
	/^\tatom_sub_sc\(&kmap_waiters, 1\);/d
	s/^\t\tport_wait\(.*\);/\t\tatom_add_sc(\&kmap_waiters, 1);\n&\n\t\tatom_sub_sc(\&kmap_waiters, 1);/
}
