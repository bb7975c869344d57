# src/gfp/slow.c
# What may not fail does, after it has waited for some time.
/^static enum slow_state slow_nopage/,/^\}/ s/if \(!\(s->req->gfp & __GFP_NOFAIL\)/if (s->rounds > 16 || !(s->req->gfp \& __GFP_NOFAIL)/
