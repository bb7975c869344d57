# src/pool/swap.c
# A page that is mapped is released.
/^static bool swap_release/,/^\}/ s/!h->pins && //
