# src/reclaim/kswapd.c
# victims: page: reclaims
# Who wakes kswapd makes it, though it may be a handler: the host's call takes locks and allocates.
/^bool kswapd_wake\(/,/^\}/ s/trace_wakeup_kswapd\(order, gfp\);/&\n\tkswapd_begin();/
