# src/reclaim/kswapd.c
# Those who wait for kswapd are told, but not woken.
/^static void throttled_look\(/,/^\}/ s/port_wake\(&kswapd.relief, UINT32_MAX\);/;/
