# src/reclaim/registry.c
# The last one to leave an entry does not tell the one who waits for that.
/^static bool registry_unpin/,/^\}/ s/return true;/return false;/
