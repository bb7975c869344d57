#!/bin/sh
# SPDX-License-Identifier: MIT
# Threads: C++ with exceptions, fork out of a crowd of threads, thread-local destructors that free
# at the very end, and a signal handler that allocates.
. "$(dirname "$0")/lib.sh"

$CXX -O2 -pthread "$here/threads.cc" -o "$tmp/threads" || exit 1
both "C++ threads and exceptions" 90 "$tmp/threads"
for f in fork late signals; do
	$CC -O2 -pthread "$here/$f.c" -o "$tmp/$f" || exit 1
done
both "threads that fork" 90 "$tmp/fork"
both "thread churn with late frees" 90 "$tmp/late"
for opt in percpu_pages=0 hardened=1 nr_cpus=1; do
	pre 90 "KMEM_CMDLINE=mem=1G $opt" "$tmp/threads" >"$tmp/out" 2>&1
	ok $? "C++ threads, $opt"
	pre 90 "KMEM_CMDLINE=mem=1G $opt" "$tmp/fork" >>"$tmp/out" 2>&1
	status=$?
	ok $status "threads that fork, $opt"
	[ $status -eq 0 ] || show "$tmp/out"
done
pre 90 GLIBC_TUNABLES=glibc.pthread.rseq=0 "$tmp/threads" >"$tmp/out" 2>&1
ok $? "C++ threads, without rseq"
pre 90 KMEM_MALLOC=leaks "KMEM_MALLOC_OUT=$tmp/ledger" "$tmp/fork" >"$tmp/out" 2>&1
ok $? "threads that fork, with the ledger"
pre 30 "$tmp/signals" >"$tmp/out" 2>&1
ok $? "a handler allocates while the program does"
show "$tmp/out"
done_testing
