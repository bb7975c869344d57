#!/bin/sh
# SPDX-License-Identifier: MIT
# Every function of the family, preloaded and linked, and the 32-bit library where there is one.
. "$(dirname "$0")/lib.sh"

build() { $CC -O2 -fno-builtin -w "$@"; }

run_tap() { # name program...: its TAP becomes one result here
	_what=$1
	shift
	"$@" >"$tmp/tap" 2>"$tmp/err"
	_status=$?
	grep -q '^1\.\.' "$tmp/tap" || _status=99
	ok "$_status" "$_what"
	grep '^not ok' "$tmp/tap" | sed 's/^/# /'
	[ "$_status" -eq 0 ] || show "$tmp/err"
}

build "$here/semantics.c" -o "$tmp/sem" || exit 1
run_tap "over the system's malloc the test itself passes" sys 60 "$tmp/sem"
run_tap "preloaded" pre 60 "$tmp/sem"
run_tap "preloaded, 256 MiB" pre 60 KMEM_CMDLINE=mem=256M "$tmp/sem"
run_tap "preloaded, no per-CPU page lists" pre 60 "KMEM_CMDLINE=mem=256M percpu_pages=0" "$tmp/sem"
run_tap "preloaded, zeroed on allocation and on free" \
	pre 60 "KMEM_CMDLINE=mem=256M init_on_alloc=1 init_on_free=1" "$tmp/sem"
run_tap "preloaded, checked and poisoned" \
	pre 90 "KMEM_CMDLINE=mem=512M slab_debug=FZP" "$tmp/sem"
run_tap "preloaded, hardened" pre 60 "KMEM_CMDLINE=mem=256M hardened=1" "$tmp/sem"
run_tap "preloaded, with its ledger" \
	pre 90 KMEM_MALLOC=stat,leaks "KMEM_MALLOC_OUT=$tmp/ledger" "$tmp/sem"
run_tap "preloaded, without rseq" pre 60 GLIBC_TUNABLES=glibc.pthread.rseq=0 "$tmp/sem"

build "$here/semantics.c" "$so" -o "$tmp/linked" || exit 1
run_tap "linked" sys 60 "LD_LIBRARY_PATH=$(dirname "$so")" "$tmp/linked"
archive=${so%.so.0}.a
build "$here/semantics.c" "$archive" -o "$tmp/archived" || exit 1
run_tap "linked with the archive" sys 60 "$tmp/archived"
KMEM_CMDLINE=mem=256M KMEM_MALLOC=stat "$tmp/archived" 2>&1 >/dev/null | grep -q '^malloc .* allocations'
ok $? "which is what serves it"
if [ -f "${archive%-malloc.a}.a" ]; then
	printf '%s\n' '#include <stdlib.h>' '#include <kmem/kmem.h>' 'int main(void) { void *p = malloc(9);' \
		'int rc = kmem_boot("mem=16M"); void *q = kmalloc(9, GFP_KERNEL); kfree(q); free(p);' \
		'return rc || !p || !q || kmem_shutdown(); }' >"$tmp/both.c"
	build -I"$top/include" "$tmp/both.c" "$archive" "${archive%-malloc.a}.a" -o "$tmp/both" && "$tmp/both"
	ok $? "a program that is linked with both archives has two machines"
fi

if [ -f "$so32" ] && [ -z "${KMEM_NO_32BIT:-}" ]; then
	# shellcheck disable=SC2086 # flags are words
	build -m32 ${M32_FLAGS:--idirafter /usr/include/x86_64-linux-gnu} "$here/semantics.c" \
		-o "$tmp/sem32" || exit 1
	run_tap "32 bit, preloaded" timeout -k 5 60 env "LD_PRELOAD=$so32" "$tmp/sem32"
	run_tap "32 bit, preloaded, 64 MiB" \
		timeout -k 5 60 env "LD_PRELOAD=$so32" KMEM_CMDLINE=mem=64M "$tmp/sem32"
else
	skip "not built, or not run by this kernel" "32 bit, preloaded"
fi
done_testing
