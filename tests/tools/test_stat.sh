#!/bin/sh
# SPDX-License-Identifier: MIT
# kmem stat: a process of ours, one of somebody else, one that has nothing, and one that lies.
# shellcheck source=tests/tools/lib.sh
. "$(dirname "$0")/lib.sh"

CC=${CC:-cc}
cat >"$tmp/prog.c" <<'END'
#include <kmem/kmem.h>
#include <stdio.h>
#include <unistd.h>

int main(void)
{
	struct kmem_cache *c;

	if (kmem_boot("mem=32M zones=x86_64 nr_cpus=2") != 0)
		return 1;
	c = kmem_cache_create("stat_test", 200, 0, 0, NULL);
	for (int i = 0; i < 100; i++)
		kmem_cache_alloc(c, GFP_KERNEL);
	(void)kmem_stat_get();
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
END
sed -i 's|#include <stdio.h>|#include <kmem/stat.h>\n&|' "$tmp/prog.c"
$CC -I"$top/include" "$tmp/prog.c" "$build/libkmem.a" -lpthread -o "$tmp/prog" || exit 1

pids=
# start FIFO PROGRAM: until it says that it is ready; its number is in $pid.
start() {
	mkfifo "$1"
	shift_fifo=$1
	shift
	"$@" >"$shift_fifo" &
	pid=$!
	pids="$pids $pid"
	read -r _ready <"$shift_fifo"
}
stop() {
	for p in $pids; do
		kill "$p" 2>/dev/null
		wait "$p" 2>/dev/null
	done
	pids=
}
trap 'stop; rm -rf "$tmp"' EXIT

start "$tmp/f1" "$tmp/prog"
k stat
status 0 "the list"
says out "^ *$pid  prog .*mem=32M zones=x86_64" "the list: our process and its machine"
k stat "$pid"
status 0 "the summary"
says out 'DMA32' "the summary: a zone"
for text in slabinfo buddyinfo zoneinfo vmstat pagetypeinfo; do
	k stat "$pid" $text
	status 0 "$text"
done
k stat "$pid" slabinfo
says out '^slabinfo - version: 2.1$' "slabinfo: the kernel's head"
says out '^stat_test  *100 ' "slabinfo: our cache"
k stat "$pid" buddyinfo
says out '^Node 0, zone    DMA32 ' "buddyinfo: the kernel's form"
k stat "$pid" vmstat
says out '^pgalloc_dma32 [1-9]' "vmstat: pages were allocated"
k stat "$pid" frobnicate
status 2 "a text that does not exist"
says err frobnicate "it is named"

k stat --json "$pid"
status 0 "--json"
if command -v python3 >/dev/null; then
	python3 -m json.tool "$tmp/out" >/dev/null 2>"$tmp/err"
	ok $? "--json: JSON"
	cat >"$tmp/schema.py" <<'END'
import json, sys
d = json.load(open(sys.argv[1]))
def keys(what, have, want):
    missing, extra = set(want.split()) - set(have), set(have) - set(want.split())
    assert not missing and not extra, (what, 'missing', missing, 'extra', extra)
    numbers = [k for k in have if isinstance(have[k], float)]
    assert not numbers, (what, 'not whole numbers', numbers)
keys('top', d, '''schema cmdline pid boots page_size_bytes cpus total_pages totalreserve_pages
    min_free_kbytes slab_reclaimable_pages slab_unreclaimable_pages misuses zones caches events''')
assert d['schema'] == 1 and d['cpus'] == 2 and d['pid'] == int(sys.argv[2])
assert d['cmdline'] == 'mem=32M zones=x86_64 nr_cpus=2', d['cmdline']
assert [z['name'] for z in d['zones']] == ['DMA', 'DMA32']
for z in d['zones']:
    keys('zone', z, '''name start_pfn spanned present managed free boost min low high promo
        reserved_highatomic protection free_blocks''')
    assert len(z['protection']) == 5
    keys('free_blocks', z['free_blocks'], 'Unmovable Movable Reclaimable HighAtomic')
    assert all(len(b) == 11 for b in z['free_blocks'].values())
    assert z['min'] <= z['low'] <= z['high'] <= z['managed']
for c in d['caches']:
    keys('cache', c, '''name object_size_bytes slot_size_bytes align_bytes flags objects_per_slab
        pages_per_slab sheaf_capacity slabs partial_slabs objects free_objects sheaf_objects
        failures''')
ours = [c for c in d['caches'] if c['name'] == 'stat_test']
assert len(ours) == 1 and ours[0]['object_size_bytes'] == 200 and ours[0]['slabs'] > 0, ours
assert d['events']['pgalloc_dma32'] > 0 and d['events']['oom_kill'] == 0
END
	python3 "$tmp/schema.py" "$tmp/out" "$pid" 2>"$tmp/err"
	ok $? "--json: the schema in the manual"
else
	skip "--json: JSON" "no python3"
fi
k stat --json "$pid" vmstat
status 2 "--json takes no text"

# Somebody else's, as the kernel decides it.
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null; then
	chmod 755 "$tmp"
	cp "$kmem" "$tmp/kmem"
	setpriv --reuid=65534 --clear-groups "$tmp/kmem" stat "$pid" >"$tmp/out" 2>"$tmp/err"
	rc=$?
	status 3 "a process of another user"
	says err 'somebody else: Permission denied' "a process of another user: why"
	one_line "a process of another user"
	setpriv --reuid=65534 --clear-groups "$tmp/kmem" stat >"$tmp/out" 2>"$tmp/err"
	rc=$?
	status 0 "another user's list"
	! grep -q "^ *$pid " "$tmp/out"
	ok $? "another user's list does not show it"
else
	skip "a process of another user" "needs root and setpriv"
fi

k stat $$
status 3 "a process without libkmem"
says err 'does not use libkmem' "a process without libkmem: why"
k stat 4194999
status 3 "no such process"
says err 'no process 4194999' "no such process: why"
k stat 0
status 2 "process 0"
k stat 12x
status 2 "a number that is none"
stop

# A process whose memfd has the name and something else in it.
if command -v python3 >/dev/null; then
	cat >"$tmp/liar.py" <<'END'
import os, struct, sys, time
fd = os.memfd_create('kmem-stat')
what, size, version = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
if what == 'noise':
    os.write(fd, b'x' * 100000)
elif what == 'version':
    os.write(fd, struct.pack('<IIII', 0x54534d4b, 999, size, 4096) + b'\0' * size)
elif what == 'short':
    os.write(fd, struct.pack('<IIII', 0x54534d4b, version, size, 4096))
elif what == 'wild':
    os.write(fd, struct.pack('<IIII', 0x54534d4b, version, size, 4096) + b'\xff' * (size - 16))
print('ready', flush=True)
time.sleep(600)
END
	printf '#include <kmem/stat.h>\n#include <stdio.h>\nint main(void)\n{\n\treturn printf("%%zu %%u\\n", sizeof(struct kmem_stat), KMEM_STAT_VERSION) < 0;\n}\n' >"$tmp/size.c"
	$CC -I"$top/include" "$tmp/size.c" -o "$tmp/size" || exit 1
	"$tmp/size" >"$tmp/numbers"
	read -r size version <"$tmp/numbers"
	for what in nothing noise version short; do
		start "$tmp/f-$what" python3 "$tmp/liar.py" $what "$size" "$version"
		k stat "$pid"
		status 3 "statistics that are $what"
		one_line "statistics that are $what"
		stop
	done
	start "$tmp/f-wild" python3 "$tmp/liar.py" wild "$size" "$version"
	k stat "$pid"
	status 0 "statistics of nothing but ones: no crash"
	for text in slabinfo buddyinfo zoneinfo vmstat pagetypeinfo; do
		k stat "$pid" $text
		status 0 "the same as $text"
	done
	k stat --json "$pid"
	python3 -m json.tool "$tmp/out" >/dev/null 2>"$tmp/err"
	ok $? "the same as JSON"
	stop
fi

finish
