# src/pool/swap.c
# Switching the area off looks once at a handle that is locked.
/^static struct kmem_swap_page \*handle_pick/,/^\}/ s/\*busy = true;/;/
