# src/reclaim/oom.c
# The turn is over before the handler is: two tasks are in it at once.
s/^\tresult = oom_handle\(gfp, order\);/\tatom_store_rel(\&oom_busy, 0u);\n&/
