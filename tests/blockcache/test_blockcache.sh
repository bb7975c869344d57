#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The example examples/blockcache: every byte verified whatever happens to its memory and its file,
# and an exit status that says which of the two, or who, is to blame.
set -u
cd "$(dirname "$0")/../.." || exit 3
build=${KMEM_BUILD:-build/posix-$(uname -m)}
tmp=$(mktemp -d) || exit 3
trap 'rm -rf "$tmp"' EXIT
unset KMEM_CMDLINE LD_PRELOAD
file=$tmp/blocks
small=(--size 16M --mem 2M --threads 3)
nr=0
failed=0

ok() { # ok STATUS NAME: the program's last words are shown when it failed
	nr=$((nr + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $nr - test_blockcache.sh: $2"
	else
		failed=1
		tail -n 20 "$tmp/out" | sed 's/^/# /'
		echo "not ok $nr - test_blockcache.sh: $2"
	fi
}
skip() { # skip NAME REASON
	nr=$((nr + 1))
	echo "ok $nr - test_blockcache.sh: $1 # SKIP $2"
}

# ends STATUS WORDS OPTION...: it ends so, says that, and has taken its file away.
ends() {
	local want=$1 words=$2 status
	shift 2
	timeout -k 5 120 "${on[@]}" "$program" "$@" >"$tmp/out" 2>&1
	status=$?
	said "$want" "$words" $status
}
said() {
	[ "$3" -eq "$1" ] || echo "status $3, not $1" >>"$tmp/out"
	[ "$3" -eq "$1" ] && grep -qF -- "$2" "$tmp/out" && [ ! -e "$file" ]
}

# begin OPTION...: starts it, and waits until it has made its file and been at work for a while.
begin() {
	"$program" --file "$file" --size 16M --mem 2M "$@" >"$tmp/out" 2>&1 &
	pid=$!
	while [ ! -s "$file" ] && kill -0 $pid 2>/dev/null; do
		sleep 0.05
	done
	sleep 0.5
}
over() { # over STATUS WORDS
	wait $pid
	said "$1" "$2" $?
}

# ---- Memory and transfers that fail -------------------------------------------------------------

fine='every byte verified, as it was read and in the file at the end'
partly='as far as a flush has promised it, in the file'
on=()
faults='failslab=7,50,65536,-1,ignore-gfp-wait=N'
faults+=' fail_page_alloc=7,50,64,-1,min-order=0,ignore-gfp-wait=N,ignore-gfp-highmem=N'

many() { # many NAME SEEDS OPS
	local name=$1 seed
	for ((seed = 1; seed <= $2; seed++)); do
		ends 0 "$fine" --file "$file" "${small[@]}" --ops "$3" --seed $seed
		ok $? "$name: seed $seed"
	done
	ends 0 "$fine" --file "$file" "${small[@]}" --ops "$3" --boot "$faults"
	ok $? "$name: one of 14 requests for memory fails"
	ends 0 "$fine" --file "$file" "${small[@]}" --ops "$3" --fail eio,100,50
	ok $? "$name: fifty transfers fail"
	ends 0 "$fine" --file "$file" "${small[@]}" --ops "$3" --fail short,1,-1
	ok $? "$name: no transfer is whole"
	ends 3 "$partly" --file "$file" "${small[@]}" --ops "$3" --fail enospc,500,-1
	ok $? "$name: no room after 500 writes"
}
for variant in release=3=30000 debug=2=10000 asan=1=5000; do
	IFS='=' read -r name seeds ops <<<"$variant"
	program=$build/blockcache
	[ "$name" = release ] || program=$build-$name/blockcache
	if [ -x "$program" ]; then
		many "$name" "$seeds" "$ops"
	else
		skip "$name" "there is no $program"
	fi
done
program=$build/blockcache
ends 3 'Input/output error' --file "$file" "${small[@]}" --ops 10000 --fail sync,1
ok $? 'a flush that failed is not believed when it works again'

# The scope that keeps reclaim out of a write-out: a copy of the program without it is found out.
cp -r examples/blockcache "$tmp/without"
sed -i 's/nofs = memalloc_nofs_save()/nofs = 0/' "$tmp/without/writeout.c"
if [ ! -f "$build-debug/libkmem.a" ]; then
	skip 'a write-out without NOFS is reported' "there is no $build-debug/libkmem.a"
else
	gcc -std=gnu11 -Iinclude "$tmp/without"/*.c "$build-debug/libkmem.a" -lpthread \
		-o "$tmp/without/blockcache" >"$tmp/out" 2>&1 &&
		program=$tmp/without/blockcache ends 1 'lock class "writing" is taken in reclaim' \
			--file "$file" "${small[@]}" --ops 10000
	ok $? 'a write-out without NOFS is reported'
fi

# ---- The file -----------------------------------------------------------------------------------

ends 3 "$tmp/none/blocks: No such file or directory" --file "$tmp/none/blocks"
ok $? 'a folder that is not there'
echo precious >"$tmp/mine"
ends 3 "$tmp/mine: File exists" --file "$tmp/mine" && [ "$(cat "$tmp/mine")" = precious ]
ok $? 'a file that is there is left alone'
(ulimit -f 1024 && ends 3 "$file: File too large" --file "$file" "${small[@]}")
ok $? 'a limit of the size of files, at the beginning'
begin --seconds 20
prlimit --pid $pid --fsize=1048576
over 3 "$file: File too large" && grep -qF "$partly" "$tmp/out"
ok $? 'a limit of the size of files, in the middle'
begin --seconds 20
truncate -c -s 64K "$file"
over 1 'is not its version'
ok $? 'somebody cuts the file short'
begin --seconds 2
rm "$file"
over 0 "$fine"
ok $? 'somebody removes the file'
begin --seconds 60
kill -INT $pid
over 130 "$fine"
ok $? 'an interrupt flushes, and verifies'

# As root, or as root of a user namespace: a file system of 1 MiB of one's own.
flags=-m
[ "$(id -u)" -eq 0 ] || flags=-rm
# shellcheck disable=SC2016 # the inner shell's
on=(unshare "$flags" sh -c 'mount -t tmpfs -o size=1m none /mnt && exec "$@"' sh)
if "${on[@]}" true 2>/dev/null; then
	ends 3 "/mnt/blocks: No space left on device" --file /mnt/blocks "${small[@]}" --ops 20000 &&
		grep -qF "$partly" "$tmp/out"
	ok $? 'a full disk'
else
	skip 'a full disk' 'no mount namespace may be made here'
fi
on=()

# ---- The command line ---------------------------------------------------------------------------

ends 2 '--file is missing'
ok $? 'no file'
ends 2 'too large: 12Q' --file "$file" --size 12Q && ends 2 'too small: 1K' --file "$file" --mem 1K &&
	ends 2 'too small: 0' --file "$file" --threads 0 && ends 2 '--fail: eio' --file "$file" --fail eio &&
	ends 2 'not an option: --x' --file "$file" --x 1 && ends 2 'usage:' --file "$file" --seed
ok $? 'what cannot be meant'
ends 3 'nonsense' --file "$file" --boot nonsense=1
ok $? 'a machine that does not start, and why'

echo "1..$nr"
exit $failed
