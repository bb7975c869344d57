#!/bin/sh
# SPDX-License-Identifier: MIT
# Blocks take little more than what was asked for.
. "$(dirname "$0")/lib.sh"

$CC -O2 -fno-builtin "$here/classes.c" -o "$tmp/classes" || exit 1
pre 60 KMEM_CMDLINE=mem=512M "$tmp/classes" >"$tmp/tap"
ok $? "no class wastes much of a page with a header"
grep '^not ok' "$tmp/tap" | sed 's/^/# /'
done_testing
