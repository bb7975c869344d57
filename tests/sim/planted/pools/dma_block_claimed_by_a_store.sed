# src/pool/dmapool.c
# A free block is claimed by a load and a store: two may get it.
s/if \(atom_cas\(word, &seen, seen & \(seen - 1\)\)\)/atom_store(word, seen \& (seen - 1));/
