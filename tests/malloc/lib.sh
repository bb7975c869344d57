# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Sourced by the tests of this folder: what they share. Each is a program that prints TAP; run it
# by itself or under prove. KMEM_MALLOC_SO names the library to preload, by default that of the
# build folder; KMEM_MALLOC_SO32 the 32-bit one.

set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
so=${KMEM_MALLOC_SO:-$top/build/posix-$(uname -m)/libkmem-malloc.so.0}
# shellcheck disable=SC2034 # for the tests
so32=${KMEM_MALLOC_SO32:-$top/build/posix-i386/libkmem-malloc.so.0}
CC=${CC:-cc}
CXX=${CXX:-c++}
nr=0
failed=0

if [ ! -f "$so" ]; then
	echo "Bail out! no $so"
	exit 1
fi
tmp=$(mktemp -d)
cleanup() { rm -rf "$tmp"; }
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

# pre SECONDS [VAR=value...] program args: the program over libkmem, with a deadline.
pre() {
	_deadline=$1
	shift
	timeout -k 5 "$_deadline" env LD_PRELOAD="$so" "$@"
}

# sys SECONDS ...: the same over the system's malloc.
sys() {
	_deadline=$1
	shift
	timeout -k 5 "$_deadline" env "$@"
}

# ok STATUS name
ok() {
	nr=$((nr + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $nr - $2"
	else
		echo "not ok $nr - $2 (status $1)"
		failed=1
	fi
}

# same FILE FILE name
same() {
	if cmp -s "$1" "$2"; then
		ok 0 "$3"
	else
		ok 1 "$3"
		diff "$1" "$2" 2>&1 | head -n 10 | sed 's/^/# /'
	fi
}

# The text of FILE as diagnostics
show() { head -n "${2:-20}" "$1" | sed 's/^/# /'; }

skip_all() {
	echo "1..0 # SKIP $1"
	exit 0
}
skip() {
	nr=$((nr + 1))
	echo "ok $nr - $2 # SKIP $1"
}

# need program...
need() {
	for _p in "$@"; do
		command -v "$_p" >/dev/null 2>&1 || skip_all "no $_p here"
	done
}

# Two ways to one output: both FILES name seconds program args
both() {
	_name=$1
	_secs=$2
	shift 2
	sys "$_secs" "$@" >"$tmp/sys.out" 2>"$tmp/sys.err"
	_sys=$?
	pre "$_secs" "$@" >"$tmp/pre.out" 2>"$tmp/pre.err"
	_pre=$?
	[ "$_sys" -eq "$_pre" ]
	ok $? "$_name: exit status $_sys"
	same "$tmp/sys.out" "$tmp/pre.out" "$_name: same output"
	same "$tmp/sys.err" "$tmp/pre.err" "$_name: same messages"
}

done_testing() {
	echo "1..$nr"
	exit "$failed"
}
