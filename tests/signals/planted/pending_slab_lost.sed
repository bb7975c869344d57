# src/slab/node.c
# victims: kmalloc: a new s
# A slab that a handler made while the node was locked is noted nowhere.
/^static u32 grow_and_grab/,/^\}/ s/if \(dirty_note\(c, head\) \|\|/if (head ||/
