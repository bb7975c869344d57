#!/bin/sh
# SPDX-License-Identifier: MIT
# redis-server over libkmem, under redis-benchmark.
. "$(dirname "$0")/lib.sh"
need redis-server redis-benchmark redis-cli

port=$((20000 + $$ % 12000)) # below those that are given to clients
cd "$tmp" || exit 1
LD_PRELOAD=$so redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly no \
	--dir "$tmp" >"$tmp/log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null; cleanup' EXIT
cli() { timeout -k 5 30 redis-cli -p "$port" "$@"; }

up=1
for _ in $(seq 200); do
	if [ "$(cli ping 2>/dev/null)" = PONG ]; then
		up=0
		break
	fi
	sleep 0.3
done
ok $up "the server answers"
[ $up -eq 0 ] || show "$tmp/log" 40
timeout -k 5 120 redis-benchmark -p "$port" -q -n 20000 -r 5000 -d 200 \
	-t set,get,incr,lpush,lpop,sadd,hset,spop,zadd,mset >"$tmp/bench" 2>&1
ok $? "redis-benchmark runs to its end"
cli set big "$(head -c 100000 /dev/zero | tr '\0' z)" >/dev/null
[ "$(cli strlen big)" = 100000 ]
ok $? "a large value"
i=0
while [ $i -lt 200 ]; do
	echo "set key:$i $(printf '%0*d' $((i * 13 + 1)) $i)"
	i=$((i + 1))
done | cli >/dev/null
[ "$(cli strlen key:199)" = 2588 ] && [ "$(cli get key:10 | wc -c)" = 132 ]
ok $? "values keep their length"
cli debug reload >"$tmp/out" 2>&1 || true
[ "$(cli bgsave)" = "Background saving started" ]
ok $? "a child of fork saves"
saved=1
for _ in $(seq 200); do
	if cli info persistence | grep -q 'rdb_bgsave_in_progress:0'; then
		saved=0
		break
	fi
	sleep 0.3
done
cli info persistence | grep -q 'rdb_last_bgsave_status:ok' || saved=1
ok $saved "and ends well"
[ "$(cli flushall)" = OK ] && [ "$(cli dbsize)" = 0 ]
ok $? "flushall"
cli shutdown nosave >/dev/null 2>&1
wait "$server"
ok $? "the server ends"
grep -i 'kmem\|crash' "$tmp/log" >"$tmp/out"
[ ! -s "$tmp/out" ]
ok $? "nothing was reported"
show "$tmp/out"
done_testing
