# src/reclaim/kswapd.c
# The sleeper is woken before the wish can be seen: it looks, and goes on sleeping.
/^static bool wish_raise\(/,/^\}/ {
	/if \(seen == 0\)/,/port_wake/d
	s/^\tdo \{/\tif (seen == 0)\n\t\tport_wake(\&kswapd.wanted, UINT32_MAX);\n&/
}
