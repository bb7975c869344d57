#!/bin/sh
# SPDX-License-Identifier: MIT
# kmem cc: a driver of one's own and a kernel's source become programs; what is missing is listed,
# with what to do; what is wrong is named, and leaves nothing behind.
# shellcheck source=tests/tools/lib.sh
. "$(dirname "$0")/lib.sh"
unset CC

cat >"$tmp/driver.c" <<'END'
#include <linux/init.h>
#include <linux/module.h>
#include <linux/printk.h>
#include <linux/slab.h>

static int size = 100;
module_param(size, int, 0);
static char *kept;

static int __init driver_init(void)
{
	kept = kmalloc(size, GFP_KERNEL);
	if (!kept)
		return -ENOMEM;
	printk(KERN_INFO "driver: %d become %zu\n", size, ksize(kept));
	return 0;
}

static void __exit driver_exit(void)
{
#ifndef LOSE
	kfree(kept);
#endif
#ifdef USE_FREED
	*(volatile char *)kept = 1;
#endif
}
module_init(driver_init);
module_exit(driver_exit);
MODULE_LICENSE("GPL");
END
echo 'int one;' >"$tmp/one.c"
mkdir -p "$tmp/tree/include/linux" "$tmp/empty" "$tmp/out.d"

# wrong STATUS PATTERN TEXT ARGS...: the status, the thing is named, and there is no new file.
wrong() {
	want=$1 pattern=$2 text=$3
	shift 3
	find "$tmp" | sort >"$tmp/before"
	k cc "$@"
	find "$tmp" | sort >"$tmp/after"
	status "$want" "$text"
	says err "$pattern" "$text: named"
	cmp -s "$tmp/before" "$tmp/after"
	ok $? "$text: nothing left"
}
: >"$tmp/before"
: >"$tmp/after"
: >"$tmp/out"
: >"$tmp/err"

tree=$tmp/tree
prog=$tmp/prog
wrong 2 '-K FOLDER' 'no tree' -o "$prog" "$tmp/one.c"
wrong 2 "$tmp/empty.*include/linux" 'a folder that is no tree' -K "$tmp/empty" -o "$prog" "$tmp/one.c"
wrong 2 '-o FILE' 'no program' -K "$tree" "$tmp/one.c"
wrong 2 'no source' 'no source' -K "$tree" -o "$prog"
wrong 2 "'--frobnicate'" 'an unknown option' -K "$tree" -o "$prog" --frobnicate "$tmp/one.c"
wrong 2 "'-c'" 'an option of the compiler that has no meaning here' -K "$tree" -o "$prog" -c "$tmp/one.c"
wrong 2 '-K needs' 'an option without its value' -o "$prog" "$tmp/one.c" -K
wrong 2 'exclude' 'two sanitizers' -K "$tree" -o "$prog" --asan --tsan "$tmp/one.c"
wrong 2 'none.c: neither' 'a source that is not there' -K "$tree" -o "$prog" lib/none.c
wrong 2 'one.o: not a C source' 'an object' -K "$tree" -o "$prog" "$tmp/one.o"
mkdir "$tmp/empty.c"
wrong 3 'empty.c: Is a directory' 'a source that is a folder' -K "$tree" -o "$prog" "$tmp/empty.c"
wrong 3 "-o $tmp/none/prog: No such" 'a program in no folder' -K "$tree" -o "$tmp/none/prog" "$tmp/one.c"
wrong 3 "-o $tmp/out.d: .*not a file" 'a program that is a folder' -K "$tree" -o "$tmp/out.d" "$tmp/one.c"
wrong 3 "-o /dev/null: .*not a file" 'a program that is a device' -K "$tree" -o /dev/null "$tmp/one.c"
CC=$tmp/nogcc
export CC
wrong 3 "$CC: No such" 'no compiler' -K "$tree" -o "$prog" "$tmp/one.c"
unset CC

# The tree of the clients, unpacked when nobody did yet.
tree=$(cd "$top/clients" && python3 -c 'import run; print(run.tree(None) or "")')
if [ ! -f "$build/libkmem-env.a" ] || [ -z "$tree" ]; then
	skip 'programs' "no $build/libkmem-env.a, or no linux-source-6.1"
	finish
fi

cd "$tmp" || exit 1
k cc -K "$tree" -o prog -O1 driver.c
status 0 'a driver'
[ ! -s "$tmp/err" ]
ok $? 'without a word'
# p ARGS...: the program
p() {
	timeout -k 5 120 "$tmp/prog" loglevel=7 "$@" >"$tmp/out" 2>&1
	rc=$?
}
p mem=16M size=500
status 0 'it runs'
says out 'driver: 500 become 512' 'and allocates as a kernel does'

k cc -K "$tree" -oprog -D LOSE -g driver.c
p mem=16M
status 1 'what a -D changed: a leak'

cat >gone.c <<'END'
#include <linux/nowhere.h>
#include <linux/slab.h>
#include <linux/not_here_either.h>
#include "test_kmod_local.h"
#include <generated/utsversion.h>
int gone = NOWHERE;
END
sed 's/gone/more/' gone.c >more.c
cp prog before.prog
k cc -K "$tree" -o prog gone.c more.c
status 1 'headers are missing'
says err '^kmem cc: 4 missing headers' 'all are counted'
[ "$(grep -c nowhere.h err)" -eq 1 ]
ok $? 'each once'
says err 'linux/nowhere.h  *for gone.c, more.c' 'with who wants it'
says err "made by the kernel's own build" 'and what to do'
cmp -s prog before.prog
ok $? 'the program of before is as it was'

cat >lost.c <<'END'
#include <linux/module.h>
#include <linux/idr.h>
static DEFINE_IDR(all);
extern int nobody_has_this(int);
static int __init lost_init(void)
{
	return nobody_has_this(idr_alloc(&all, &all, 0, 0, GFP_KERNEL)) +
	       nobody_has_this(idr_alloc(&all, &all, 0, 0, GFP_KERNEL));
}
module_init(lost_init);
END
k cc -K "$tree" -o prog lost.c
status 1 'symbols are missing'
says err '^  add lib/idr.c$' 'the source that has one'
says err 'not provided, and not found' 'and that none has the other'
[ "$(grep -c nobody_has_this err)" -eq 1 ]
ok $? 'each once'

echo 'int bad = ;' >bad.c
k cc -K "$tree" -o prog bad.c
status 1 'a source that does not compile'
says err 'bad.c:1:.*error' 'the compiler is heard'
[ -z "$(find "$tmp" -name '.kmem-cc-*')" ]
ok $? 'nothing is left of any'

k cc -K "$tree" -o prog lib/xarray.c lib/radix-tree.c lib/idr.c lib/test_ida.c
status 0 'sources of the tree'
p mem=16M expect=ida_checks:neg expect=warnings:128
status 0 'they pass'
says out 'IDA: \([0-9]*\) of \1 tests passed' 'all their checks'

if [ -f "$build-asan/libkmem-env.a" ]; then
	k cc -K "$tree" -o prog --asan -D USE_FREED driver.c
	status 0 '--asan'
	p mem=16M sanitize=1
	says out 'AddressSanitizer: use-after-poison' 'and it finds what is wrong'
else
	skip '--asan' "no $build-asan"
fi

cat >unset.c <<'END'
#include <linux/module.h>
#include <linux/slab.h>

static int unset_init(void)
{
	char *p = kmalloc(32, GFP_KERNEL);

	if (p[3] == 7)
		pr_info("seven\n");
	kfree(p);
	return 0;
}
module_init(unset_init);
END
if [ -f "$build-msan/libkmem-env.a" ]; then
	k cc -K "$tree" -o prog --msan unset.c
	status 0 '--msan'
	p mem=16M sanitize=1
	says out "allocation of 'an object of a slab of cache kmalloc-32'" 'and it finds what was never set'
else
	skip '--msan' "no $build-msan"
fi

if command -v valgrind >/dev/null; then
	k cc -K "$tree" -o prog unset.c
	timeout -k 5 120 valgrind -q --track-origins=yes ./prog mem=16M sanitize=1 >out 2>&1
	says out ': an object of a slab of cache kmalloc-32 (in' 'valgrind finds it too'
else
	skip 'valgrind' 'valgrind is missing'
fi

finish
