# src/reclaim/kswapd.c
# What was wanted during the nap is forgotten when kswapd goes to sleep.
/^static void kswapd_main\(/,/^\}/ s/else if \(!wish\)/else if (!wish \&\& (atom_store(\&kswapd.wanted, 0u), true))/
