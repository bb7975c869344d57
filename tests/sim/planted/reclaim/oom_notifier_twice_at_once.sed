# src/reclaim/oom.c
# The turn is looked at and then taken, in two steps.
s/if \(atom_xchg\(&oom_busy, 1u\) != 0\) \{/if (atom_load(\&oom_busy) != 0 || (atom_store(\&oom_busy, 1u), false)) {/
