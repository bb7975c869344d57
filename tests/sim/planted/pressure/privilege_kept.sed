# src/reclaim/reclaim.c
# The privilege of reclaim is not laid down after it.
/^void reclaim_end/,/^\}/ s/pf &= ~fresh;/pf \&= ~(fresh \& ~PF_MEMALLOC);/
