# src/pool/mempool.c
# What a handler left in the old slots while they were replaced is forgotten.
/^static void store_replace/,/^\}/ {
	/^\tfor \(el = aside_take_from/d
	/^\t\tmempool_free\(el, pool\);/d
	/^\tvoid \*el;/d
}
