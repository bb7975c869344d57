# src/reclaim/kswapd.c
# Who leaves a wish thinks that another one has woken kswapd.
/^static bool wish_raise/,/^\}/ s/if \(seen == 0\)/if (seen != 0)/
