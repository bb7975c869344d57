#!/bin/sh
# SPDX-License-Identifier: MIT
# KMEM_MALLOC=stat,leaks: what is printed at exit, and where.
. "$(dirname "$0")/lib.sh"

$CC -O1 -rdynamic -fno-builtin "$here/leak.c" -o "$tmp/leak" || exit 1

pre 30 "$tmp/leak" >"$tmp/out" 2>&1
ok $? "without options nothing is printed"
[ ! -s "$tmp/out" ]
ok $? "nothing at all"

pre 30 KMEM_MALLOC=leaks "$tmp/leak" >"$tmp/out" 2>"$tmp/err"
ok $? "leaks: the exit status is the program's"
[ ! -s "$tmp/out" ]
ok $? "leaks: stdout is the program's"
grep -q '^leaks    pid [0-9]*: 53000 bytes in 4 blocks from 2 places were not freed at exit$' \
	"$tmp/err"
ok $? "leaks: the sum, though the program closed stderr"
grep -A1 '^50000 bytes in 1 blocks$' "$tmp/err" | grep -q '#0 leak_large+0x'
ok $? "leaks: the large one, by name"
grep -A1 '^3000 bytes in 3 blocks$' "$tmp/err" | grep -q '#0 leak_small+0x'
ok $? "leaks: the small ones, by name"
grep 'bytes in .* blocks$' "$tmp/err" | sort -c -rn
ok $? "leaks: most bytes first"
[ "$nr" -eq 8 ] && show "$tmp/err"

pre 60 KMEM_MALLOC=leaks "$tmp/leak" many 2>"$tmp/err"
grep -q ': 1013000 bytes in 20004 blocks from 3 places' "$tmp/err"
ok $? "leaks: 20,000 blocks, counted exactly"
show "$tmp/err" 3

pre 30 KMEM_MALLOC=stat "KMEM_MALLOC_OUT=$tmp/report" "$tmp/leak"
grep -q '^malloc   [0-9]* allocations, [0-9]* frees, 0 failed, peak' "$tmp/report"
ok $? "stat: counts, into a file"
grep -q '^  [A-Za-z0-9]* *\[#*[.hlmHLM]*\]' "$tmp/report"
ok $? "stat: zones as bars"
grep -q '^  malloc-' "$tmp/report"
ok $? "stat: caches"
show "$tmp/report" 30
pre 30 KMEM_MALLOC=stat KMEM_MALLOC_OUT=3 "$tmp/leak" 3>"$tmp/fd"
grep -q '^malloc ' "$tmp/fd"
ok $? "stat: to a descriptor"
pre 30 KMEM_MALLOC=stat "KMEM_MALLOC_OUT=$tmp/report2" sh -c "cd / && $tmp/leak && $tmp/leak; exit 5"
if [ $? -eq 5 ]; then [ "$(grep -c '^machine ' "$tmp/report2")" -ge 2 ]; else false; fi
ok $? "stat: each process of a script, appended"
pre 30 KMEM_MALLOC=stat,nonsense "$tmp/leak" 2>"$tmp/err"
grep -q 'unknown word "nonsense"' "$tmp/err" && grep -q '^machine' "$tmp/err"
ok $? "an unknown word is named, the others count"
done_testing
