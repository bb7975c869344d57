# src/pool/filecache.c
# A page is found while it is being dropped.
/^static enum look entry_look/,/^\}/ s/e->state != FC_HERE/e->state == FC_READING/
