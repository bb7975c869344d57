#!/bin/sh
# SPDX-License-Identifier: MIT
# Wrong frees do no harm and are reported.
. "$(dirname "$0")/lib.sh"

$CC -O1 -fno-builtin -w "$here/misuse.c" -o "$tmp/misuse" || exit 1
pre 30 "$tmp/misuse" >"$tmp/out" 2>"$tmp/err"
ok $? "the program ends well"
[ "$(cat "$tmp/out")" = whole ]
ok $? "its blocks are whole"
[ -s "$tmp/err" ]
ok $? "the wrong frees were reported"
pre 30 KMEM_MALLOC=stat,leaks "KMEM_MALLOC_OUT=$tmp/report" "$tmp/misuse" >"$tmp/out" 2>&1
ok $? "also with the ledger"
done_testing
