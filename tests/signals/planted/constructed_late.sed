# src/slab/node.c
# victims: constructors
# A new slab is constructed when others can see it already.
/^static struct page \*slab_new/,/^\}/ {
	/if \(c->ctor \|\| c->ctor_ldd3\)/d
	/slab_construct\(c, head, gfp\);/d
}
/^static u32 grow_and_grab/,/^\}/ s/^\tnode_unlock\(c, f\);/&\n\tif (c->ctor || c->ctor_ldd3)\n\t\tslab_construct(c, head, gfp);/
