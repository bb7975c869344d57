# src/gfp/slow.c
# A request that may not block reclaims like any other.
s/bool may_reclaim = s->req->may_block && /bool may_reclaim = /
