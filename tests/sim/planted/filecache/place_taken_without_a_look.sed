# src/pool/filecache.c
# Who comes with a fresh page does not look whether another was faster.
/^static enum look entry_look/,/^\}/ s/if \(!e\) \{/if (!e || fresh) {/
