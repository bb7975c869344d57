# src/gfp/flags.c
# An urgent request gets nothing of the reserve that is kept for it.
/^u32 gfp_slow_aflags/,/^\}/ s/aflags \|= ALLOC_MIN_RESERVE;/aflags |= 0;/
