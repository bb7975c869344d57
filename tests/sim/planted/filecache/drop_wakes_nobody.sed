# src/pool/filecache.c
# Those who found a page that was being dropped sleep on.
/^static void entry_drop/,/^\}/ s/waited = turn_pass\(fc\);/waited = false;/
