#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# examples/ldd3 compiles by the line of its README.md, and its devices read, write and seek like files.
set -u
cd "$(dirname "$0")/../.." || exit 3
build=${KMEM_BUILD:-build/posix-$(uname -m)}
tmp=$(mktemp -d) || exit 3
d=$tmp/devices
pid=
nr=0
failed=0
unset KMEM_CMDLINE LD_PRELOAD

# Whatever happens, nothing stays mounted and nobody stays behind.
clean_up() {
	[ -z "$pid" ] || kill "$pid" 2>/dev/null
	! mountpoint -q "$d" || fusermount3 -u -z "$d"
	rm -rf "$tmp"
}
trap clean_up EXIT
trap 'exit 1' HUP INT TERM

ok() { # ok STATUS NAME
	nr=$((nr + 1))
	[ "$1" -eq 0 ] || { failed=1; sed 's/^/# /' "$tmp/out" | head -n 20; }
	[ "$1" -eq 0 ] && echo "ok $nr - test_example.sh: $2" || echo "not ok $nr - test_example.sh: $2"
}

skip() {
	echo "ok 1 - test_example.sh: examples/ldd3 # SKIP $1"
	echo 1..1
	exit 0
}

[ -e /usr/include/fuse3/fuse.h ] || skip 'libfuse3-dev is not installed'
[ -w /dev/fuse ] || skip '/dev/fuse is not to be had'
gcc -std=gnu11 -Wall -Wextra -Werror -D_FILE_OFFSET_BITS=64 -Iinclude -I/usr/include/fuse3 \
	examples/ldd3/*.c "$build/libkmem.a" -lfuse3 -lpthread -o "$tmp/ldd3" >"$tmp/out" 2>&1
ok $? 'it compiles'
mkdir "$d"

load() { # load [MACHINE]: waits for the folder, however long that takes
	"$tmp/ldd3" "$d" "$@" >"$tmp/out" 2>&1 &
	pid=$!
	while ! mountpoint -q "$d"; do
		kill -0 "$pid" 2>/dev/null || { wait "$pid"; return; }
		sleep 0.05
	done
}

unload() { # the status of the program
	fusermount3 -u "$d"
	wait "$pid"
	rc=$?
	pid=
}

load
if ! mountpoint -q "$d"; then
	pid=
	skip "no FUSE here: $(tail -n 1 "$tmp/out")"
fi
[ "$(cd "$d" && echo *)" = 'cache pages ticks virt' ]
ok $? 'three devices and the ticks'
head -c 300000 /dev/urandom >"$tmp/data"
for dev in cache pages virt; do
	cp "$tmp/data" "$d/$dev" && cmp -s "$tmp/data" "$d/$dev"
	ok $? "$dev: what was written is read"
	printf 'here' | dd of="$d/$dev" bs=1 seek=123456 conv=notrunc status=none
	cp "$tmp/data" "$tmp/data.$dev"
	printf 'here' | dd of="$tmp/data.$dev" bs=1 seek=123456 conv=notrunc status=none
	cmp -s "$tmp/data.$dev" "$d/$dev"
	ok $? "$dev: in the middle too"
	[ "$(dd if="$d/$dev" bs=1 skip=123456 count=4 status=none)" = here ]
	ok $? "$dev: and from there"
	: >"$d/$dev"
	printf 'x' | dd of="$d/$dev" bs=1 seek=20000 conv=notrunc status=none
	[ "$(stat -c %s "$d/$dev")" -eq 20001 ] && [ "$(tr -d '\0' <"$d/$dev")" = x ]
	ok $? "$dev: a hole reads as zeroes"
done
dd if=/dev/zero of="$d/cache" bs=1 count=1 seek=4G status=none 2>"$tmp/out"
[ $? -ne 0 ] && grep -q 'No space' "$tmp/out"
ok $? 'behind the end there is no space'
# The timer runs while somebody asks; how often it came is the machine's business.
until grep -q '^[1-9][0-9]* ticks noted, [0-9]* not$' "$d/ticks"; do sleep 0.05; done
ok 0 'the interrupt got memory'
unload
[ $rc -eq 0 ] && grep -qx '0 faults, 0 left behind' "$tmp/out"
ok $? 'unloaded: nothing is left behind'

load 'mem=8M zones=flat failslab=3,50,0,-1,verbose=0,ignore-gfp-wait=N fail_page_alloc=3,50,0,-1,min-order=0,verbose=0,ignore-gfp-wait=N seed=5'
short=0
for dev in cache pages virt; do
	for _ in 1 2 3 4 5 6 7 8; do
		cp "$tmp/data" "$d/$dev" 2>"$tmp/err" || short=$((short + 1))
		cmp -s -n "$(stat -c %s "$d/$dev")" "$tmp/data" "$d/$dev" || short=-1000
	done
done
[ $short -gt 0 ]
ok $? "requests that fail end writes early, and what was written is right ($short)"
unload
[ $rc -eq 0 ] && grep -qx '0 faults, 0 left behind' "$tmp/out"
ok $? 'unloaded: nothing is left behind'
"$tmp/ldd3" >"$tmp/out" 2>&1
[ $? -eq 2 ]
ok $? 'usage'
echo "1..$nr"
exit $failed
