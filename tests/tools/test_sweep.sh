#!/bin/sh
# SPDX-License-Identifier: MIT
# kmem sweep: planted bugs are found and named, clean programs pass, bad words are refused.
# shellcheck source=tests/tools/lib.sh
. "$(dirname "$0")/lib.sh"

CC=${CC:-cc}
cat >"$tmp/prog.c" <<'END'
#include <kmem/kmem.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static __attribute__((noinline)) void *ask(void)
{
	void *p = kmalloc(12000, GFP_KERNEL);

	__asm__ volatile("" : "+r"(p));
	return p;
}

/* If the third fails it crashes, the fifth leaks, the seventh hangs, the ninth ends as nobody expects. */
static int planted(int i, void **p)
{
	if (i == 3)
		*(volatile char *)p[i] = 1;
	if (i == 5)
		p[1] = NULL;
	while (i == 7)
		usleep(1000);
	if (i == 11)
		kfree(p[1]);
	return i == 9 ? 42 : 1;
}

int main(int argc, char **argv)
{
	void *p[12] = {0};
	int rc = 0;

	if (kmem_boot(argc > 2 ? argv[2] : "mem=16M zones=flat nr_cpus=1"))
		return 99;
	for (int i = 1; i < 12 && !rc; i++) {
		p[i] = ask();
		if (!p[i])
			rc = argc > 1 && !strcmp(argv[1], "clean") ? 1 : planted(i, p);
	}
	for (int i = 1; i < 12; i++)
		kfree(p[i]);
	kmem_shutdown();
	return rc;
}
END
cat >"$tmp/plain.c" <<'END'
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
	char *p = malloc(100), *q = malloc(5000);
	int bad = argc > 1 && !strcmp(argv[1], "bad");

	if (!p || (!q && !bad))
		return 1;
	memset(q, 0, 5000);
	free(p);
	free(q);
	return 0;
}
END
$CC -O1 -g -rdynamic -I"$top/include" "$tmp/prog.c" "$build/libkmem.a" -lpthread -o "$tmp/prog" &&
	$CC -O1 -g -rdynamic -fno-builtin "$tmp/plain.c" -o "$tmp/plain" || exit 1

planted() {
	status 1 "$1: findings"
	says out 'crash: signal 11 .* after request 3 failed' "$1: the crash"
	says out 'leak: 1 left behind after request 5 failed' "$1: the leak"
	says out 'hang: killed after request 7 failed' "$1: the hang"
	says out 'exit: status 42 after request 9 failed' "$1: the exit"
	says out 'misuse: .* after request 11 failed' "$1: the misuse"
	says out '#[0-9]* ask' "$1: stacks have names"
	says out "11 requests, 11 failed in turn ($2" "$1: each once"
	says out '5 findings: 1 crash, 1 leak, 1 hang, 1 exit, 1 misuse' "$1: and nothing else"
}
k sweep --timeout 10 -- "$tmp/prog"
planted copies ""
k sweep --timeout 10 --restart -- "$tmp/prog"
planted 'from the start' 0
k sweep --from 8 -- "$tmp/prog" planted 'mem=16M zones=normal:8M,highmem:rest nr_cpus=1'
status 1 'a machine with HIGHMEM'
says out '4 failed in turn (0 in copies, 4 from the start' 'is not copied'
says out '2 findings: 0 crash, 0 leak, 0 hang, 1 exit, 1 misuse' 'and swept all the same'

k sweep -- "$tmp/prog" clean
status 0 'a clean program'
says out '11 requests, 11 failed in turn' 'is tried as well'
k sweep --ok 42 --from 8 --max 2 -- "$tmp/prog"
status 0 'a status that --ok names, and a part of the requests'
says out ' 2 failed in turn' 'no more than that'
k sweep --from 3 --every 4 -- "$tmp/prog" clean
says out '11 requests, 3 failed in turn (3 in copies' 'each fourth alone'
k sweep --from 3 --every 2 --max 2 -- "$tmp/prog"
says out '11 requests, 2 failed in turn' 'no more than two of them'
says out 'after request 5 failed' 'and the second of them is the fifth'
k sweep --restart --from 3 --every 4 -- "$tmp/prog" clean
says out '11 requests, 3 failed in turn (0 in copies, 3 from the start' 'each fourth from the start'
k sweep --stop-at-first --from 9 -- "$tmp/prog"
status 1 'stopped at the first finding'
says out 'stopped at the first' 'and says so'
k sweep --json --from 5 --max 1 -- "$tmp/prog"
status 1 'JSON'
python3 -c 'import json, sys
r = json.load(open(sys.argv[1]))
f = r["findings"][0]
assert r["requests"] == 11 and len(r["findings"]) == 1, r
assert f["kind"] == "leak" and f["request"] == 5 and f["leaks"] == 1, f
assert any("ask" in place for place in f["stack"]), f' "$tmp/out"
ok $? 'is what a program reads'

if [ -f "$build/libkmem-malloc.so.0" ]; then
	k sweep --malloc -- "$tmp/plain"
	status 0 'a program under the malloc face'
	k sweep --malloc -- "$tmp/plain" bad
	status 1 'one that does not look at a pointer'
	says out 'crash: signal 11' 'crashes'
fi

k sweep
status 2 'no program'
k sweep --from 0 -- "$tmp/prog"
status 2 'from nothing'
k sweep --ok 256 -- "$tmp/prog"
status 2 'no such exit status'
k sweep --frob -- "$tmp/prog"
status 2 'no such option'
k sweep -- "$tmp/nothing"
status 3 'no such program'
k sweep -- true
status 3 'a program that is not linked with the library'
says err '--malloc' 'and what to do about it'
finish
