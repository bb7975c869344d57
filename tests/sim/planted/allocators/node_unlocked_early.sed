# src/slab/node.c
# The node lock goes before the objects are taken: two CPUs may take the same bit.
/got = partial_grab\(c, objs \+ want, want\);/ {
	N
	s/(.*partial_grab.*)\n(.*node_unlock.*)/\2\n\1/
}
