#!/bin/sh
# SPDX-License-Identifier: MIT
# shellcheck disable=SC3045 # ulimit -v: every sh that matters has it
# What happens when memory runs out: of the machine's, and of the address space.
. "$(dirname "$0")/lib.sh"

$CC -O2 -fno-builtin -w "$here/budget.c" -o "$tmp/budget" || exit 1
$CC -O2 -fno-builtin -w "$here/semantics.c" -o "$tmp/sem" || exit 1
for mib in 16 64; do
	pre 120 KMEM_CMDLINE=mem=${mib}M "$tmp/budget" $mib >"$tmp/out" 2>"$tmp/err"
	ok $? "mem=${mib}M: refusals are NULL and ENOMEM, and everything comes back"
	show "$tmp/out"
	[ ! -s "$tmp/err" ]
	ok $? "mem=${mib}M: without a word"
	show "$tmp/err"
done
# shellcheck disable=SC2016 # perl's $
pre 30 KMEM_CMDLINE=mem=64M perl -e '$x = "a" x 100_000_000; print length $x' >"$tmp/out" 2>&1
grep -qi 'out of memory' "$tmp/out"
ok $? "perl says that it is out of memory"
pre 30 KMEM_CMDLINE=mem=nonsense /bin/true >"$tmp/out" 2>&1
ok $? "a command line that is wrong does not stop a program that needs no memory"
show "$tmp/out"

# dash's ulimit -v counts KiB.
(ulimit -v 65536 && pre 30 KMEM_CMDLINE=mem=16M /bin/ls "$here") >"$tmp/out" 2>&1
ok $? "64 MiB of address space, mem=16M: ls runs"
show "$tmp/out" 3
(ulimit -v 65536 && pre 60 KMEM_CMDLINE=mem=16M "$tmp/budget" 16) >"$tmp/out" 2>&1
ok $? "64 MiB of address space, mem=16M: the budget holds"
(ulimit -v 400000 && pre 30 KMEM_CMDLINE=mem=128M "$tmp/sem") >"$tmp/out" 2>&1
ok $? "400 MB of address space, mem=128M: everything works"
grep '^not ok' "$tmp/out" | sed 's/^/# /'
(ulimit -v 400000 && pre 30 /bin/ls "$here") >"$tmp/out" 2>&1
ok $? "400 MB of address space, default size: ls runs"
show "$tmp/out" 3
done_testing
