#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# examples/uring compiles by the line of its README.md and reads a file of this host.
set -u
cd "$(dirname "$0")/../.." || exit 3
build=${KMEM_BUILD:-build/posix-$(uname -m)}
tmp=$(mktemp -d) || exit 3
trap 'rm -rf "$tmp"' EXIT
unset KMEM_CMDLINE LD_PRELOAD
nr=0
failed=0

ok() { # ok STATUS NAME
	nr=$((nr + 1))
	[ "$1" -eq 0 ] || { failed=1; sed 's/^/# /' "$tmp/out" | head -n 20; }
	[ "$1" -eq 0 ] && echo "ok $nr - test_example.sh: $2" || echo "not ok $nr - test_example.sh: $2"
}

skip() {
	echo "ok 1 - test_example.sh: examples/uring # SKIP $1"
	echo 1..1
	exit 0
}

gcc -include liburing.h -x c /dev/null -fPIC -shared -o /dev/null -luring 2>/dev/null ||
	skip 'liburing-dev is not installed'
gcc -std=gnu11 -Wall -Wextra -Werror -Iinclude examples/uring/*.c "$build/libkmem.a" -luring -lpthread \
	-o "$tmp/uring" >"$tmp/out" 2>&1
ok $? 'it compiles'

uring() { (cd "$tmp" && timeout 120 ./uring "$@" >"$tmp/out" 2>&1); }

uring
status=$?
[ $status -ne 3 ] || skip "$(tail -n 1 "$tmp/out")"
[ $status -eq 0 ] && grep -q '^every byte is the same$' "$tmp/out"
ok $? 'a file it has made'
grep -qE '^zone DMA: 4096 pages, [0-9]+ free; 1 ranges of 4 MiB registered, 0 refused$' "$tmp/out"
ok $? 'it says what of the zone it uses'
[ "$(find "$tmp" -name 'uring.*' | wc -l)" -eq 0 ]
ok $? 'and removes it'
head -c 5000123 /dev/urandom >"$tmp/odd"
uring --block=512K --depth=3 odd && grep -q '^5000123 bytes in blocks of 524288, 3 at a time' "$tmp/out"
ok $? 'a file whose size is no multiple of a block'
uring --zone=4M --block=1M --depth=8 odd
[ $? -eq 1 ] && grep -q 'zone DMA is too small' "$tmp/out"
ok $? 'a zone that is too small is named'
uring --block=5000
[ $? -eq 2 ] && grep -q '^usage: ' "$tmp/out"
ok $? 'usage'
uring /nowhere
[ $? -eq 2 ] && grep -q '/nowhere: No such file' "$tmp/out"
ok $? 'a file that is not there'
echo "1..$nr"
exit $failed
