# src/reclaim/shrinker.c
# Shrinkers are asked as if every request were an ordinary one.
s/\.gfp_mask = r->gfp/.gfp_mask = GFP_KERNEL/
