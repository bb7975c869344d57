# src/reclaim/kswapd.c
# A free wakes kswapd, but leaves it no word: one who is about to fall asleep does not look again.
/^bool kswapd_nudge\(/,/^\}/ s/if \(atom_or\(&kswapd.wanted, WISH_DECAY\) == 0\)/if (true)/
