#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Hosts that give less than usual: no restartable sequences, little address space, no /proc, little
# memory, a strict account of it. On each a machine starts, is filled until it refuses, is given
# back, and is filled again (limits.c).
set -u
cd "$(dirname "$0")/../.." || exit 3
build=${KMEM_BUILD:-build/posix-$(uname -m)}
debug=${KMEM_BUILD_DEBUG:-$build-debug}
tmp=$(mktemp -d) || exit 3
trap 'rm -rf "$tmp"' EXIT
unset KMEM_CMDLINE LD_PRELOAD GLIBC_TUNABLES
export KMEM_CMDLINE=mem=16M
nr=0
failed=0

ok() { # ok STATUS NAME
	nr=$((nr + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $nr - test_limits.sh: $2"
	else
		failed=1
		sed 's/^/# /' "$tmp/out"
		echo "not ok $nr - test_limits.sh: $2 (status $1)"
	fi
}
skip() { # skip NAME REASON
	nr=$((nr + 1))
	echo "ok $nr - test_limits.sh: $1 # SKIP $2"
}
run() { timeout -k 5 60 "$@" >"$tmp/out" 2>&1; }

# A namespace of one's own with an empty /proc: as root, or as root of a user namespace.
without_proc() {
	local flags=-m
	[ "$(id -u)" -eq 0 ] || flags=-rm
	# shellcheck disable=SC2016 # the inner shell's
	unshare $flags sh -c 'mount -t tmpfs -o ro none /proc && [ ! -e /proc/self ] && exec "$@"' \
		sh "$@"
}

hosts() { # hosts NAME PROGRAM
	local name=$1 prog=$2
	run "$prog" 11
	ok $? "$name: mem=16M"
	run env GLIBC_TUNABLES=glibc.pthread.rseq=0 "$prog" 11
	ok $? "$name: without restartable sequences"
	(ulimit -v 65536 && run "$prog" 11)
	ok $? "$name: 64 MiB of address space"
	(ulimit -v 400000 && KMEM_CMDLINE='' run "$prog" 11)
	ok $? "$name: 400 MB of address space, default size"
	# Private memory that can be written to, which is what the commit of a chunk asks for: the host
	# refuses long before the machine does, and later gives again.
	(ulimit -d 49152 && KMEM_CMDLINE=mem=256M run "$prog" 8)
	ok $? "$name: 48 MiB of data, mem=256M"
	run "$prog" 11 3
	ok $? "$name: no descriptor left"
	if without_proc true 2>/dev/null; then
		without_proc timeout -k 5 60 "$prog" 11 >"$tmp/out" 2>&1
		ok $? "$name: without /proc"
	else
		skip "$name: without /proc" "no mount namespace may be made here"
	fi
}

# Commit limits are the whole host's, and other tests' sanitizers need them off, so this is for those
# who ask for it: KMEM_TEST_OVERCOMMIT=1, as root.
strict() { # strict NAME PROGRAM
	local knob=/proc/sys/vm/overcommit_memory before
	if [ "${KMEM_TEST_OVERCOMMIT:-0}" != 1 ] || [ ! -w $knob ]; then
		skip "$1: vm.overcommit_memory=2" "it changes the host: KMEM_TEST_OVERCOMMIT=1 does it"
		return
	fi
	before=$(cat $knob)
	# shellcheck disable=SC2064 # as it is now
	trap "echo $before >$knob; rm -rf '$tmp'" EXIT
	echo 2 >$knob
	run "$2" 11
	ok $? "$1: vm.overcommit_memory=2"
	echo "$before" >$knob
}

for place in "$build" "$debug"; do
	name=${place##*/}
	if [ ! -f "$place/libkmem.a" ]; then
		skip "$name" "there is no $place/libkmem.a"
		continue
	fi
	if ! gcc -std=gnu11 -O1 -Wall -Werror -Iinclude tests/limits/limits.c "$place/libkmem.a" \
		-lpthread -o "$tmp/$name" >"$tmp/out" 2>&1; then
		ok 1 "$name: limits.c compiles"
		continue
	fi
	hosts "$name" "$tmp/$name"
	strict "$name" "$tmp/$name"
done
echo "1..$nr"
exit $failed
