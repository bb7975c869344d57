# src/pool/vmalloc.c
# The list of areas that interrupts left is taken by a load and a store, not by an exchange.
s/\? atom_xchg\(&areas_deferred, NULL\) : NULL;/: NULL;\n\n\tp = atom_load(\&areas_deferred);\n\tatom_store(\&areas_deferred, NULL);/
s/void \*p = atom_load\(&areas_deferred\) :/void *p =/
