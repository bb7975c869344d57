# src/gfp/slow.c
# What the guard ends, ends in silence.
/^static bool slow_is_stuck/,/^\}/ s/report\(KMEM_LOG_WARN, /if (s->rounds > 9999)\n\t\t&/
