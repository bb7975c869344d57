# src/pool/filecache.c
# Reclaim, which saw the page without a user, does not look again under the cache's lock.
/^static bool fc_release/,/^\}/ s/ && atom_load_acq\(&page->refcount\) == 1//
