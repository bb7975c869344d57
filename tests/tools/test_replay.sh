#!/bin/sh
# SPDX-License-Identifier: MIT
# kmem replay: the forms of a recording, what is inferred, and files that are not what they should
# be. KMEM_TRACES names a folder of trace.dat files to be replayed as well.
# shellcheck source=tests/tools/lib.sh
. "$(dirname "$0")/lib.sh"

text=$here/data/report-l.txt

# figures FILE: what does not depend on the clock or the name of the file.
figures() {
	grep -v -e '^recording' -e ' million a second' -e 'other lines' -e '^machine  pid' "$1"
}

k replay "$text"
status 0 "the text of trace-cmd report -l"
figures "$tmp/out" >"$tmp/latency"
says out '^  kmem_cache_alloc  *[1-9]' "events by kind"
says out '^  not understood  *0$' "everything is understood"
says out '^  all slab objects ' "requested, ours and theirs"
says out '^no findings$' "no findings"
for kind in kmalloc kmem_cache_alloc kfree kmem_cache_free mm_page_alloc mm_page_free; do
	want=$(grep -c " $kind:" "$text")
	got=$(awk -v k="$kind" '$1 == k && NF == 2 && !n++ { gsub(",", "", $2); print $2 }' \
		"$tmp/out")
	[ "$want" = "$got" ]
	ok $? "$kind: $want events, $got read"
done
want=$(grep ' kmalloc:' "$text" | sed 's/.*bytes_req=\([0-9]*\).*/\1/' |
	awk '{ n += $1 } END { print n + 0 }')
got=$(awk '$1 == "kmalloc" && /%/ { gsub(",", "", $2); print $2 }' "$tmp/out")
[ "$want" = "$got" ]
ok $? "kmalloc: $want bytes requested, $got read"
want=$(grep ' kmalloc:' "$text" | sed 's/.*bytes_alloc=\([0-9]*\).*/\1/' |
	awk '{ n += $1 } END { print n + 0 }')
got=$(awk '$1 == "kmalloc" && /%/ { gsub(",", "", $6); print $6 }' "$tmp/out")
[ "$want" = "$got" ]
ok $? "kmalloc: $want bytes given by the kernel, $got read"

k replay "$text"
figures "$tmp/out" | cmp -s - "$tmp/latency"
ok $? "twice the same figures"

k replay - <"$text"
status 0 "standard input"
figures "$tmp/out" | cmp -s - "$tmp/latency"
ok $? "standard input: the same figures"

# The raw file of tracefs: another head, no name of a buffer, one call site.
sed -e '1s/.*/# tracer: nop/' \
	-e 's/^kmemrec: *\(.*\) \([0-9][0-9]*\)\([dDbX.][^ ]*\)  *\([0-9][0-9.]*\): /  \1   [00\2] \3 \4: /' \
	-e 's/ (\([^ ]*\)) call_site/ call_site/' "$text" >"$tmp/tracefs.txt"
k replay "$tmp/tracefs.txt"
status 0 "the trace file of tracefs"
figures "$tmp/out" | cmp -s - "$tmp/latency"
ok $? "tracefs: the same figures"

# Without contexts: trace-cmd report, and perf script.
sed -e 's/^\(kmemrec: .*\) \([0-9][0-9]*\)[dDbX.][^ ]*  *\([0-9][0-9.]*\): /\1 [00\2] \3: /' \
	"$text" >"$tmp/plain.txt"
sed -e '1d' -e 's/^kmemrec: *\(.*\)-\([0-9]*\) *\[/\1 \2 [/' \
	-e 's/: \([a-z_]*\): *(\([^ ]*\)) call_site/: kmem:\1: call_site/' \
	-e 's/: \(mm_page_[a-z]*\): */: kmem:\1: /' "$tmp/plain.txt" >"$tmp/perf.txt"
k replay "$tmp/plain.txt"
status 0 "the text of trace-cmd report"
figures "$tmp/out" >"$tmp/plain"
k replay "$tmp/perf.txt"
status 0 "the text of perf script"
grep -q 'kmem:kmem_cache_alloc:' "$tmp/perf.txt" && figures "$tmp/out" | cmp -s - "$tmp/plain"
ok $? "perf: the same figures as trace-cmd report"

k replay --pages "$text"
status 0 "--pages"
says out '^replay  *page level' "--pages: the page level"
says out '^pages  *at the peak [1-9]' "--pages: the peak"
k replay --zones i386 --mem 64M --nr-cpus 3 "$text"
status 0 "another machine"
says out 'mem=64M zones=i386 nr_cpus=3' "another machine is named"
says out 'Normal' "another machine: its zones"
k replay --pin "$text"
status 0 "--pin"

# What is inferred, from a recording of a few lines.
line() {
	printf ' t-1 [00%s] %s 1.00000%s: %s\n' "$1" "$2" "$3" "$4"
}
a='call_site=f+0x1 ptr=0000000000001000 bytes_req=100 bytes_alloc=128 gfp_flags=GFP_KERNEL'
{
	line 0 ..... 1 "kmalloc: $a node=-1 accounted=false"
	line 0 ..... 2 "kmalloc: $a node=-1 accounted=false"
	line 1 ..s1. 3 "kfree: call_site=f+0x1 ptr=0000000000001000"
	line 1 ..... 4 "kfree: call_site=f+0x1 ptr=0000000000009000"
	line 1 ..... 5 "kfree: call_site=f+0x1 ptr=0000000000000000"
	line 0 d.... 6 "kmalloc: ${a%GFP_KERNEL}GFP_ATOMIC|__GFP_FUTURE node=-1 accounted=false"
	line 0 ..... 7 "kmalloc: call_site=f+0x1 ptr=garbage"
	echo "CPU:1 [LOST 42 EVENTS]"
} >"$tmp/few.txt"
k replay "$tmp/few.txt"
status 0 "a few lines"
says out '^  objects freed unseen  *1$' "an allocation over a live object frees it"
says out '^  frees of older ones  *1$' "a free of an unknown address is an older object"
says out '^  kfree(NULL)  *1$' "kfree(NULL)"
says out '^  frees  *1, 100.0 % of them on another CPU' "a free on another CPU"
says out '^  not understood  *1$' "a line that cannot be understood is counted"
says out '^    the first: .*ptr=garbage' "and shown"
says out '^  lost while recording  *42$' "lost events"
says out '^  with unknown GFP names  *1$' "unknown GFP names"
says out '^  ATOMIC  *1  *0$' "the rest of such a mask is kept"

# Blocks that are freed in pieces, and over each other.
{
	line 0 ..... 1 "mm_page_alloc: page=0x40 pfn=0x40 order=3 migratetype=0 gfp_flags=GFP_KERNEL"
	line 0 ..... 2 "mm_page_free: page=0x41 pfn=0x41 order=0"
	line 0 ..... 3 "mm_page_free: page=0x44 pfn=0x44 order=2"
	line 1 ..... 4 "mm_page_alloc: page=0x40 pfn=0x40 order=1 migratetype=0 gfp_flags=GFP_KERNEL"
	line 1 ..... 5 "mm_page_free: page=0x40 pfn=0x40 order=1"
	line 1 ..... 6 "mm_page_alloc: page=(nil) pfn=0x0 order=4 migratetype=0 gfp_flags=GFP_ATOMIC"
} >"$tmp/pieces.txt"
k replay "$tmp/pieces.txt"
status 0 "pages alone: the page level is chosen"
says out '^  blocks freed in pieces  *1$' "a block freed in pieces"
says out '^  pages freed unseen  *1$' "a page freed unseen"
says out '^  failed in the recording  *1$' "what failed in the recording"
says out 'live at the end 2$' "what is left: pages 0x42 and 0x43"

# A machine that is too small fails requests; that is no finding, and it ends.
i=0
while [ $i -lt 600 ]; do
	printf ' t-1 [000] ..... 1.0: kmalloc: call_site=f ptr=%x bytes_req=8000 ' $((4096 + i * 8192))
	echo "bytes_alloc=8192 gfp_flags=GFP_NOWAIT node=-1 accounted=false"
	i=$((i + 1))
done >"$tmp/big.txt"
k replay --mem 3M "$tmp/big.txt"
status 0 "too small a machine"
awk '$1 == "NOWAIT" && $3 > 0 { found = 1 } END { exit !found }' "$tmp/out"
ok $? "too small a machine: failures by class"

# Files that are no recordings: one line that names the file, status 2.
refused() {
	k replay "$1"
	status 2 "$2"
	says err "$(basename "$1")" "$2: the file is named"
	one_line "$2"
}
: >"$tmp/empty"
refused "$tmp/empty" "an empty file"
echo "the quick brown fox" >"$tmp/prose"
refused "$tmp/prose" "a text that is no trace"
head -c 20000 /dev/urandom >"$tmp/noise"
refused "$tmp/noise" "binary noise"
refused "$kmem" "a program"
refused "$tmp" "a folder"
{
	cat "$text"
	head -c 1000 /dev/zero
} >"$tmp/tail"
refused "$tmp/tail" "a text with binary data behind it"
printf 'PERFILE2garbage' >"$tmp/perf.data"
refused "$tmp/perf.data" "perf's own file"
says err 'perf script' "perf's own file: what to do"
printf '\027\010\104tracing' >"$tmp/magic.dat"
refused "$tmp/magic.dat" "a trace.dat that is only its magic"
printf '\027\010\104tra' >"$tmp/half.dat"
refused "$tmp/half.dat" "half a magic"
printf '\027\010\104tracing99\0\0\010\0\020\0\0' >"$tmp/99.dat"
refused "$tmp/99.dat" "a trace.dat of the future"
k replay "$tmp/missing"
status 3 "a file that is not there"
one_line "a file that is not there"

# A machine of half the memory: with --reclaim nothing fails, and the same file gives the same figures.
some_failed() {
	awk '/^requests/ { in_table = 1 } /^$/ { in_table = 0 }
		in_table && NF == 3 && $3 != "0" && $1 != "requests" { found = 1 } END { exit !found }' "$1"
}
tight() {
	k replay --pages --mem 24M "$1"
	some_failed "$tmp/out"
	ok $? "half the memory: requests fail"
	k replay --pages --mem 24M --reclaim "$1"
	status 0 "half the memory, with --reclaim"
	! some_failed "$tmp/out"
	ok $? "half the memory, with --reclaim: none fails"
	says out '^  pages dropped  *[1-9]' "pages were dropped"
	says out '^  runs of kswapd  *[1-9]' "kswapd ran"
	says out '^  frees of what is gone  *[1-9].*, which is expected' "their frees are expected"
	figures "$tmp/out" >"$tmp/first"
	k replay --pages --mem 24M --reclaim "$1"
	figures "$tmp/out" | cmp -s - "$tmp/first"
	ok $? "half the memory, with --reclaim: the same again"
	k replay --slab --mem 64M --reclaim "$1"
	says out '^  objects dropped  *0$' "memory enough: nothing is dropped"
}

# Real recordings, whole and broken.
found=0
for dat in "${KMEM_TRACES:-$top/examples}"/*.dat "$here"/data/*.dat; do
	[ -f "$dat" ] || continue
	found=1
	name=$(basename "$dat")
	k replay "$dat"
	if [ "$rc" -eq 3 ] && grep -q libtracecmd-dev "$tmp/err"; then
		skip "$name" "this build cannot read trace.dat"
		continue
	fi
	status 0 "$name"
	figures "$tmp/out" >"$tmp/dat"
	k replay --pages "$dat"
	status 0 "$name: pages"
	if command -v trace-cmd >/dev/null; then
		trace-cmd report -l -i "$dat" >"$tmp/dat.txt" 2>/dev/null
		k replay "$tmp/dat.txt"
		figures "$tmp/out" | cmp -s - "$tmp/dat"
		ok $? "$name: its text gives the same figures"
	fi
	if [ "$name" = gcc.dat ]; then
		tight "$dat"
	fi
	size=$(wc -c <"$dat")
	for keep in 5 30 100 4096 $((size / 2)) $((size - 1)); do
		head -c "$keep" "$dat" >"$tmp/cut.dat"
		refused "$tmp/cut.dat" "$name cut to $keep bytes"
	done
	i=0
	odd=0
	while [ $i -lt 20 ]; do
		cp "$dat" "$tmp/flip.dat"
		at=$(od -An -N4 -tu4 /dev/urandom | awk -v s="$size" '{ print $1 % s }')
		head -c 2 /dev/urandom | dd of="$tmp/flip.dat" bs=1 seek="$at" conv=notrunc 2>/dev/null
		k replay "$tmp/flip.dat"
		if [ "$rc" -gt 2 ] || { [ "$rc" -eq 2 ] && [ "$(wc -l <"$tmp/err")" -ne 1 ]; }; then
			echo "# two bytes at $at: status $rc"
			odd=1
		fi
		i=$((i + 1))
	done
	ok $odd "$name with bytes changed: read or refused, never a crash"
done
[ $found -eq 1 ] || skip "trace.dat" "there is none in ${KMEM_TRACES:-$top/examples}"

finish
