# src/gfp/flags.c
# victims: kmalloc: a new slab
# A page request of a handler does not know that it has interrupted a section.
s/req->nested = sync_nested\(\) \|\| /req->nested = /
