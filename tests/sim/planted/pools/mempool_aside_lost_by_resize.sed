# src/pool/mempool.c
# What a handler left in the old slots while they were replaced is forgotten.
/^static void store_replace/,/^\}/ {
	s/^\tfor \(el = aside_take_from.*$/\tfor (el = NULL; el; el = NULL) {/
}
