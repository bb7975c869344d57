# src/pool/filecache.c
# A read that failed does not wake those who waited for the page.
/^static int entry_arrive/,/^\}/ s/waited = turn_pass\(fc\);/waited = !rc \&\& turn_pass(fc);/
