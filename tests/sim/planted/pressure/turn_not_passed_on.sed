# src/reclaim/kswapd.c
# The turn is laid down, and who waits for it is not told.
/^void kswapd_let/,/^\}/ s/^\tport_wake.*//
