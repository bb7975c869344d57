#!/bin/sh
# SPDX-License-Identifier: MIT
# Threads and the handlers of their timers all allocate: the malloc face is as safe in a handler as
# the library below it.
. "$(dirname "$0")/lib.sh"

# Long forms (make soak): STORM_OPS operations, and a deadline for them.
limit=${STORM_SECONDS:-60}
kmem=${KMEM:-$(dirname "$so")/kmem}
$CC -O2 -pthread "$here/storm.c" -o "$tmp/storm" || exit 1

storm() { # name command...
	_name=$1
	shift
	"$@" >"$tmp/out" 2>&1 && ! grep -q '^kmem:' "$tmp/out" # no report of the library's either
	ok $? "$_name"
	show "$tmp/out"
}

storm "as it comes" pre "$limit" "$tmp/storm"
for opt in percpu_pages=0 hardened=1 nr_cpus=1; do
	storm "$opt" pre "$limit" "KMEM_CMDLINE=mem=1G $opt" "$tmp/storm"
done
storm "without rseq" pre "$limit" GLIBC_TUNABLES=glibc.pthread.rseq=0 "$tmp/storm"
storm "kmem run" timeout -k 5 "$limit" "$kmem" run -- "$tmp/storm"
if [ -f "$so32" ] && [ -z "${KMEM_NO_32BIT:-}" ]; then
	# shellcheck disable=SC2086 # a list of words
	$CC -m32 ${M32_FLAGS:--idirafter /usr/include/x86_64-linux-gnu} -O2 -pthread "$here/storm.c" \
		-o "$tmp/storm32" || exit 1
	storm "32 bit" timeout -k 5 "$limit" env "LD_PRELOAD=$so32" "$tmp/storm32"
else
	skip "not built, or not run by this kernel" "32 bit"
fi
done_testing
