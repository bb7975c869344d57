# src/phys/kmap_local.c
# victims: kmap_local
# A window is left before it is off the task's stack: a handler takes it, and links it to itself.
/^	if \(word_slot\(\*word\) == slot\) \{$/,/^		return;$/ {
	/\*word = windows\.slot\[slot\]\.below;$/d
	s/^		slot_leave\(slot\);$/&\n\t\t*word = windows.slot[slot].below;/
}
