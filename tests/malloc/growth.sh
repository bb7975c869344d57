#!/bin/sh
# SPDX-License-Identifier: MIT
# What rests in idle caches goes back when a program grows; what realloc gives to a block that does.
. "$(dirname "$0")/lib.sh"

$CC -O2 -fno-builtin "$here/growth.c" -o "$tmp/growth" || exit 1
pre 60 KMEM_CMDLINE=mem=512M "$tmp/growth" >"$tmp/tap"
ok $? "idle caches give way to growth, and blocks have room for it"
grep '^not ok' "$tmp/tap" | sed 's/^/# /'
pre 60 "KMEM_CMDLINE=mem=512M" GLIBC_TUNABLES=glibc.pthread.rseq=0 "$tmp/growth" >"$tmp/tap"
ok $? "also without rseq"
grep '^not ok' "$tmp/tap" | sed 's/^/# /'
pre 60 KMEM_CMDLINE=mem=512M "$tmp/growth" hollow >"$tmp/tap"
ok $? "and pages inside of slabs that nothing is in"
grep '^not ok' "$tmp/tap" | sed 's/^/# /'
pre 60 KMEM_CMDLINE=mem=512M "$tmp/growth" trim >"$tmp/tap"
ok $? "and to malloc_trim()"
grep '^not ok' "$tmp/tap" | sed 's/^/# /'
done_testing
