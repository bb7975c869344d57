# src/reclaim/kswapd.c
# Who holds kswapd out does not wait for the balance under way.
/^void kswapd_hold\(/,/^\}/ s/while \(atom_xchg/if (atom_xchg/
/^void kswapd_hold\(/,/^\}/ s/port_wait\(&kswapd.turn, 1, UINT64_MAX\)/(void)0/
