# src/pool/filecache.c
# A page that is being read while it is dropped stays in the cache.
/^static struct fc_page \*chain_drop/,/^\}/ s/e->state == FC_GOING\)/e->state != FC_HERE)/
