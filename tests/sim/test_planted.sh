#!/bin/sh
# SPDX-License-Identifier: MIT
# Planted bugs: each script of tests/sim/planted/PART makes one in a copy of a source file, and the
# simulator's hunt for that part must find it; in the code as it is, it must find nothing. A search
# that finds none of them proves nothing.
set -u
cd "$(dirname "$0")/../.." || exit 3
build=${KMEM_BUILD_SIM:-build/sim-$(uname -m)-debug}
work=$(mktemp -d "${TMPDIR:-/tmp}/kmem-planted.XXXXXX") || exit 3
trap 'rm -rf "$work"' EXIT
if [ ! -f "$build/libkmem.a" ]; then
	make -s PORT=sim VARIANT=debug libs >&2 || exit 3
fi
cc="${CC:-gcc} -std=gnu11 -O2 -g -D_GNU_SOURCE -Iinclude -Isrc -Iports/sim -Imk/config/debug
	-fPIC -fno-semantic-interposition"
n=0
failed=0

result() { # status name
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		failed=1
	fi
	sed 's/^/# /' "$work/out"
}

hunt=
for c in tests/sim/planted/hunt.c tests/sim/lib/*.c; do
	o=$work/$(basename "$c" .c).o
	$cc -c "$c" -o "$o" || exit 3
	hunt="$hunt $o"
done

# shellcheck disable=SC2086 # lists of words
plant() { # script part
	file=$(sed -n '1s/^# //p' "$1")
	sed -E -f "$1" "$file" >"$work/planted.c"
	if cmp -s "$file" "$work/planted.c"; then
		echo "the script no longer changes $file" >"$work/out"
		return 1
	fi
	$cc -c "$work/planted.c" -o "$work/planted.o" >"$work/out" 2>&1 &&
		$cc $hunt "$work/planted.o" "$build/libkmem.a" -o "$work/planted" >"$work/out" 2>&1 ||
		return 1
	timeout 120 "$work/planted" "$2" >"$work/out" 2>&1
	[ $? -eq 1 ]
}

# shellcheck disable=SC2086
$cc $hunt "$build/libkmem.a" -o "$work/control" || exit 3
for part in tests/sim/planted/*/; do
	part=$(basename "$part")
	timeout 300 "$work/control" "$part" >"$work/out" 2>&1
	result $? "$part: nothing is found in the code as it is"
done
if [ "$failed" -ne 0 ]; then
	echo "# what is found now says nothing about the planted bugs"
	echo "1..$n"
	exit 1
fi
for script in tests/sim/planted/*/*.sed; do
	part=$(basename "$(dirname "$script")")
	plant "$script" "$part"
	result $? "$part: $(basename "$script" .sed)"
done
echo "1..$n"
exit $failed
