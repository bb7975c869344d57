# src/pool/filecache.c
# Who has to wait looks at the turn after the lock is free: it may have passed.
/^static int page_get/,/^\}/ s/port_wait\(&fc->turn, turn,/port_wait(\&fc->turn, atom_load(\&fc->turn),/
