# src/phys/pcp.c
# The list of blocks that handlers left is taken by a load and a store, not by an exchange.
s/u32 pfn = atom_xchg\(&z->deferred, LINK_NIL\);/u32 pfn = atom_load(\&z->deferred);\n\n\tatom_store(\&z->deferred, LINK_NIL);/
