# src/pool/filecache.c
# Reclaim lets go of a page that another task is dropping.
/^static bool fc_release/,/^\}/ s/\(e->state == FC_HERE && (.*)\);/(\1);/
