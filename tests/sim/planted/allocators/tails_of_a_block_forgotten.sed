# src/phys/pcp.c
# A compound block goes from a list to the zone as it is: its tails say that somebody has it.
/^void blocks_to_buddy/,/^\}/ {
	s/page_lose_tails\(block\[i\], slot\);/(void)block[i];/
}
