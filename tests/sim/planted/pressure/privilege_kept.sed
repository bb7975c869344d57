# src/reclaim/reclaim.c
# The privilege of reclaim is not laid down after it.
/^static void reclaim_end/,/^\}/ s/pf &= ~fresh;/pf \&= ~(fresh \& ~PF_MEMALLOC);/
