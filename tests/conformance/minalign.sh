#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# KMALLOC_MINALIGN is a constant of the build, so each value is a build of its own.
set -u
cd "$(dirname "$0")/../.." || exit 3
tmp=$(mktemp -d) || exit 3
trap 'rm -rf "$tmp"' EXIT
unset MAKEFLAGS MFLAGS KMEM_CMDLINE LD_PRELOAD
nr=0
failed=0

cat >"$tmp/sizes.c" <<'C'
#include <stdio.h>
#include <stdlib.h>
#include <kmem/kmem.h>

/* Prints ksize of each argument; status 1 if one is not aligned to KMALLOC_MINALIGN. */
int main(int argc, char **argv)
{
	int bad = kmem_boot("mem=64M zones=i386");

	for (int i = 1; i < argc; i++) {
		void *p = kmalloc((size_t)atoi(argv[i]), GFP_KERNEL);

		printf("%zu ", ksize(p));
		bad |= (unsigned long)p % KMALLOC_MINALIGN != 0;
		kfree(p);
	}
	bad |= kmem_check() != 0;
	return kmem_shutdown() != 0 || bad;
}
C

try() { # try MINALIGN NAME "SIZES" "WANTED"
	local build=$tmp/$1 out sizes
	read -ra sizes <<<"$3"
	nr=$((nr + 1))
	if make -j2 B="$build" CFLAGS="-O1 -DKMALLOC_MINALIGN=$1" "$build/libkmem.a" \
		>"$tmp/log" 2>&1 </dev/null &&
		gcc -DKMALLOC_MINALIGN="$1" -Iinclude "$tmp/sizes.c" "$build/libkmem.a" -lpthread \
			-o "$build/sizes" >>"$tmp/log" 2>&1 &&
		out=$("$build/sizes" "${sizes[@]}" 2>>"$tmp/log") && [ "$out" = "$4 " ]; then
		echo "ok $nr - minalign.sh: $2"
	else
		failed=1
		tail -n 15 "$tmp/log" | sed 's/^/# /'
		echo "# ksize: ${out:-} wanted: $4"
		echo "not ok $nr - minalign.sh: $2"
	fi
}

try 64 S111_with_64_the_class_of_96_is_gone '1 64 65 128 129 193' '64 64 128 128 192 256'
try 128 S111_with_128_the_class_of_192_is_gone '1 65 128 129 192 257' '128 128 128 256 256 512'
echo "1..$nr"
exit $failed
