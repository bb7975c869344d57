#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The harness itself: what must fail does, with the seed in its line.
set -u
cd "$(dirname "$0")/../.." || exit 3
tmp=$(mktemp -d) || exit 3
trap 'rm -rf "$tmp"' EXIT
unset TAP_NOFORK TAP_DEADLINE
nr=0
failed=0
ok() {
	nr=$((nr + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $nr - test_harness.sh: $2"
	else
		failed=1
		sed 's/^/# /' "$tmp/out"
		echo "not ok $nr - test_harness.sh: $2"
	fi
}

cat >"$tmp/prog.c" <<'C'
#include "tap.h"
TEST(good) { ok(1); is(3u, 3, "three"); is_str("a", "a"); ok(tap_below(10) < 10, "%d", 1); }
TEST(wrong) { is(3u, 4, "what was asked"); }
TEST(crash) { ok(1); raise(SIGSEGV); }
TEST(hang) { ok(1); for (;;) ; }
TEST(empty) { }
TEST(leaves) { ok(1); exit(7); }
TEST(skipped) { skip_loudly("a reason"); }
static void die(void *arg) { (void)arg; (void)!write(2, "argh\n", 5); abort(); }
static void live(void *arg) { (void)arg; }
TEST(death) { dies_saying(die, NULL, "argh"); }
TEST(no_death) { dies_saying(live, NULL, NULL); }
TEST(seed) { is(tap_seed(), 77); diag("drawn %llx", (unsigned long long)tap_rand()); }
C
gcc -std=gnu11 -Wall -Wextra -Wshadow -Wconversion -Werror -Itests "$tmp/prog.c" -o "$tmp/prog" \
	>"$tmp/out" 2>&1
ok $? 'a program of tests compiles'
TAP_SEED=77 TAP_DEADLINE=1 "$tmp/prog" >"$tmp/out" 2>&1
[ $? -eq 1 ]
ok $? 'failures give status 1'
for want in 'ok 1 - prog.c: good' 'not ok 2 - prog.c: wrong [checks failed; TAP_SEED=0x4d]' \
	'not ok 3 - prog.c: crash [killed by signal 11; TAP_SEED=0x4d]' \
	'not ok 4 - prog.c: hang [over its CPU deadline (signal 24); TAP_SEED=0x4d]' \
	'not ok 5 - prog.c: empty [no check was made; TAP_SEED=0x4d]' \
	'not ok 6 - prog.c: leaves [exit status 7; TAP_SEED=0x4d]' \
	'ok 7 - prog.c: skipped # SKIP a reason' 'ok 8 - prog.c: death' 'ok 10 - prog.c: seed' '1..10'; do
	grep -qxF "$want" "$tmp/out"
	want=${want%% [\[#]*}
	ok $? "says '$want'"
done
grep -q 'not ok 9 - prog.c: no_death' "$tmp/out"
ok $? 'a death that does not happen is a failure'
grep -q '3u is 3 (0x3), not 4 = 4 (0x4): what was asked' "$tmp/out"
ok $? 'both values are printed'
drawn=$(grep drawn "$tmp/out")
[ "$(TAP_SEED=77 "$tmp/prog" seed | grep drawn)" = "$drawn" ]
ok $? 'a test draws the same numbers from a seed, alone or among others'
TAP_NOFORK=1 "$tmp/prog" good skipped >"$tmp/out" 2>&1
ok $? 'TAP_NOFORK=1, and tests chosen by name'
"$tmp/prog" nothing_of_that_name >"$tmp/out" 2>&1
[ $? -eq 1 ]
ok $? 'no test chosen is a failure'
[ "$("$tmp/prog" -l death | tr '\n' ' ')" = 'death no_death ' ]
ok $? '-l lists'

# The runner: it counts, and a program that ends without its plan is a failure.
printf '#!/bin/sh\necho "ok 1 - fine"\necho "1..2"\n' >"$tmp/broken"
chmod +x "$tmp/broken"
perl mk/tests.pl "$tmp/broken" >"$tmp/out" 2>&1
[ $? -eq 1 ] && [ "$(tail -n 1 "$tmp/out")" = '1 passed, 1 failed' ]
ok $? 'mk/tests.pl counts a broken plan'
printf '#!/bin/sh\nsleep 60\n' >"$tmp/slow"
chmod +x "$tmp/slow"
perl mk/tests.pl --deadline=1 "$tmp/slow" >"$tmp/out" 2>&1
[ $? -eq 1 ]
ok $? 'mk/tests.pl ends a program that is over its deadline'
echo "1..$nr"
exit $failed
