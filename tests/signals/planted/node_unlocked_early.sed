# src/slab/node.c
# victims: kmalloc: a new sheaf
# The node lock goes before the objects are taken: a handler may take the same bits.
/got = partial_grab\(c, objs \+ want, want\);/ {
	N
	s/(.*partial_grab.*)\n(.*node_unlock.*)/\2\n\1/
}
