# src/gfp/flags.c
# The scope that forbids I/O is not laid on the request.
s/if \(pf & PF_MEMALLOC_NOIO\)/if (pf \& PF_MEMALLOC_PIN)/
