# src/pool/swap.c
# A slot that the handle had before goes with a write that fails, and the handle keeps its number.
/^static int page_out/,/^\}/ s/if \(h->slot == SLOT_NONE\)$/if (true)/
