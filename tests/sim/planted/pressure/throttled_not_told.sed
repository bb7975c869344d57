# src/reclaim/kswapd.c
# Those who are throttled are not told when kswapd has been at work.
/^static bool balance_pass/,/^\}/ s/^\tthrottled_look\(\);//
/^static u32 balance/,/^\}/ s/^\tthrottled_look\(\);//
