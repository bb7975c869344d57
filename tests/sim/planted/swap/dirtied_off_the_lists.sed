# src/pool/swap.c
# A page that is written to while the area is being switched off keeps its old slot.
/^void kmem_swap_unmap/,/^\}/ s/handle_drop_slot\(h\);/;/
