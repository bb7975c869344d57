# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Sourced by the tests of this folder. Each is a program that prints TAP. KMEM_BUILD names the
# folder of the build whose command is tested.

set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
build=${KMEM_BUILD:-$top/build/posix-$(uname -m)}
kmem=$build/kmem
nr=0
failed=0

# Nothing of the caller's may steer the command.
unset KMEM_CMDLINE KMEM_MALLOC KMEM_MALLOC_OUT LD_PRELOAD

if [ ! -x "$kmem" ]; then
	echo "Bail out! there is no $kmem"
	exit 1
fi
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# k ARGS...: the command, with a deadline; output and messages in files.
k() {
	timeout -k 5 120 "$kmem" "$@" >"$tmp/out" 2>"$tmp/err"
	rc=$?
}

show() {
	sed 's/^/# /' "$1" | head -n "${2:-20}"
}

# ok STATUS TEXT
ok() {
	nr=$((nr + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $nr - $2"
	else
		failed=$((failed + 1))
		echo "not ok $nr - $2"
		show "$tmp/out"
		show "$tmp/err"
	fi
}

# status N TEXT: the last k ended with N.
status() {
	[ "$rc" -eq "$1" ]
	ok $? "$2 (status $1, got $rc)"
}

# says FILE PATTERN TEXT
says() {
	grep -q -- "$2" "$tmp/$1"
	ok $? "$3"
}

# one_line TEXT: the message is one line and there is no other output.
one_line() {
	[ "$(wc -l <"$tmp/err")" -eq 1 ] && [ ! -s "$tmp/out" ]
	ok $? "$1: one line"
}

skip() {
	nr=$((nr + 1))
	echo "ok $nr - $1 # SKIP $2"
}

finish() {
	echo "1..$nr"
	[ "$failed" -eq 0 ]
	exit $?
}
