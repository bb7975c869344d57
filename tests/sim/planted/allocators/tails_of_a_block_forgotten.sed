# src/phys/pcp.c
# A compound block goes from a list to the zone as it is: its tails say that somebody has it.
/^static bool blocks_free/,/^\}/ {
	s/page_lose_tails\(block\[i\], slot\);/(void)block[i];/
}
