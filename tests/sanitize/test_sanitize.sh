#!/bin/sh
# SPDX-License-Identifier: MIT
# sanitize=1: AddressSanitizer, MemorySanitizer and valgrind see misuse of objects and pages, and name the cache.
# shellcheck source=tests/tools/lib.sh
. "$(dirname "$0")/../tools/lib.sh"

CC=${CC:-cc}
cat >"$tmp/prog.c" <<'END'
#include <kmem/kmem.h>
#include <kmem/mempool.h>
#include <kmem/vmalloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct thing {
	char body[40];
};
static volatile int sink;

/* Of a pool whose reserve is taken and given back: 's'lab, 'k'malloc, 'p'ages. */
static mempool_t *pool_new(char kind, struct kmem_cache *c)
{
	return kind == 's'   ? mempool_create_slab_pool(2, c)
	       : kind == 'k' ? mempool_create_kmalloc_pool(2, 20)
			     : mempool_create_page_pool(2, 1);
}

static void pools(struct kmem_cache *c)
{
	for (const char *kind = "skp"; *kind; kind++) {
		mempool_t *pool = pool_new(*kind, c);
		size_t size = *kind == 's' ? sizeof(struct thing) : *kind == 'k' ? 20 : 2 * PAGE_SIZE;

		for (int i = 0; i < 9; i++) {
			void *a = mempool_alloc_preallocated(pool), *b = mempool_alloc(pool, GFP_KERNEL);

			memset(*kind == 'p' ? page_address(a) : a, 1, size);
			mempool_resize(pool, 2 + i % 3);
			mempool_free(a, pool);
			mempool_free(b, pool);
		}
		mempool_destroy(pool);
	}
}

/* What rests in a reserve is looked at; or what was taken out of it before it was set. */
static void rested(const char *what, struct kmem_cache *c)
{
	mempool_t *pool = pool_new(what[5], c);
	void *el = mempool_alloc_preallocated(pool);
	char *p = what[5] == 'p' ? page_address(el) : el;

	memset(p, 1, 20);
	mempool_free(el, pool);
	if (!strncmp(what, "over-", 5))
		mempool_alloc_preallocated(pool);
	if (p[3] == 3)
		sink = 1;
}

/* Everything that is allowed, so that nothing of it is reported. */
static int clean(struct kmem_cache *c, char *thing, char *bytes)
{
	struct page *page = alloc_pages(GFP_KERNEL, 2);

	pools(c);
	memset(thing, 1, sizeof(struct thing));
	memset(bytes, 1, 20);
	memset(bytes, 2, ksize(bytes));
	memset(page_address(page), 1, 4 * PAGE_SIZE);
	__free_pages(page, 2);
	for (size_t i = 1; i < 3000; i += 37) {
		char *p = kmalloc(3 * i, i & 1 ? GFP_KERNEL : GFP_KERNEL | __GFP_ZERO);

		p[3 * i - 1] = i & 1 ? 0 : p[0];
		p = krealloc(p, 4 * i + 2, GFP_KERNEL);
		p[4 * i + 1] = 1;
		kfree(p);
	}
	kfree(bytes);
	kmem_cache_free(c, thing);
	for (int i = 0; i < 5000; i++)
		kmem_cache_free(c, kmem_cache_alloc(c, GFP_KERNEL));
	if (kmem_check() || kmem_cache_shrink(c))
		return 50; /* what is held back goes when the cache shrinks */
	kmem_cache_destroy(c);
	return kmem_check() + (int)kmem_shutdown();
}

/* The second time of memory that somebody has had. */
static int zeroes(void)
{
	int sum = 0;

	for (int i = 0; i < 2; i++) {
		char *p = kzalloc(100, GFP_KERNEL), *q = kvzalloc(20000, GFP_KERNEL);
		char *r = (char *)get_zeroed_page(GFP_KERNEL), *s = kcalloc(3, 3000, GFP_KERNEL);

		for (int j = 0; j < 100; j++)
			sum += p[j] || q[200 * j] || r[40 * j] || s[90 * j];
		p = krealloc(memset(p, 0, 100), 200, GFP_KERNEL | __GFP_ZERO);
		sum += p[99] || p[199];
		memset(p, 1, 200), memset(q, 1, 20000), memset(r, 1, PAGE_SIZE), memset(s, 1, 9000);
		kfree(p), kvfree(q), free_page((unsigned long)r), kfree(s);
	}
	return sum;
}

/* What was never set is taken out of an object whose cache, and machine, end before it is looked at. */
static void moved(struct kmem_cache *c, char *thing, char *bytes)
{
	static char copy[sizeof(struct thing)];

	memcpy(copy, thing, sizeof(copy));
	kmem_cache_free(c, thing);
	kfree(bytes);
	kmem_cache_destroy(c);
	kmem_shutdown();
	if (copy[5] == 3)
		sink = 1;
}

/* More caches, one after the other, than there are names for. */
static void many(void)
{
	char name[16], copy = 0;

	for (int i = 0; i < 1200; i++) {
		struct kmem_cache *c;
		char *p;

		snprintf(name, sizeof(name), "many-%d", i);
		c = kmem_cache_create(name, 100, 0, 0, NULL);
		p = kmem_cache_alloc(c, GFP_KERNEL);
		copy = p[5];
		kmem_cache_free(c, p);
		kmem_cache_destroy(c);
	}
	if (copy == 3)
		sink = 1;
}

int main(int argc, char **argv)
{
	const char *what = argv[argc - 1];
	struct kmem_cache *c;
	char *thing, *bytes;

	if (!strcmp(what, "nameless"))
		setenv("TMPDIR", "/nowhere", 1);
	if (kmem_boot("mem=16M zones=flat nr_cpus=1 sanitize=1"))
		return 99;
	c = KMEM_CACHE(thing, 0);
	thing = kmem_cache_alloc(c, GFP_KERNEL);
	bytes = kmalloc(20, GFP_KERNEL);
	if (!strcmp(what, "clean"))
		return clean(c, thing, bytes);
	if (!strcmp(what, "behind"))
		thing[40] = 1;
	if (!strcmp(what, "end"))
		bytes[20] = 1;
	if ((!strcmp(what, "unset") || !strcmp(what, "nameless")) && thing[5] == 3)
		sink = 1;
	if (!strcmp(what, "unset-bytes") && bytes[19] == 3)
		sink = 1;
	if (!strcmp(what, "unset-page") && *(char *)__get_free_page(GFP_KERNEL) == 3)
		sink = 1;
	if (!strncmp(what, "rest-", 5) || !strncmp(what, "over-", 5))
		rested(what, c);
	if (!strcmp(what, "moved"))
		moved(c, thing, bytes);
	if (!strcmp(what, "many"))
		many();
	if (!strcmp(what, "zeroes"))
		return zeroes();
	if (strchr("ftl", what[0])) {
		kmem_cache_free(c, thing);
		for (int i = 0; what[0] == 'l' && i < 500; i++) /* would get it again and again */
			kmem_cache_free(c, memset(kmem_cache_alloc(c, GFP_KERNEL), 1, sizeof(struct thing)));
	}
	if ((!strcmp(what, "freed") || !strcmp(what, "later")) && thing[3] == 3)
		sink = 1;
	if (!strcmp(what, "twice") || !strcmp(what, "later-twice"))
		kmem_cache_free(c, thing);
	if (!strcmp(what, "page")) {
		unsigned long page = __get_free_page(GFP_KERNEL);

		free_page(page);
		sink = *(volatile char *)page;
	}
	return 0;
}
END
cc_prog() { # cc_prog NAME FLAGS
	$CC -O1 -g $2 -I"$top/include" "$tmp/prog.c" "$build/libkmem.a" -lpthread -o "$tmp/$1" || exit 1
}

# try COMMAND...: the deadline is generous, as valgrind is slow.
try() {
	timeout -k 5 120 "$@" >"$tmp/out" 2>"$tmp/err"
	rc=$?
}

cc_prog asan -fsanitize=address
try "$tmp/asan" clean
status 0 'asan: what is allowed'
try "$tmp/asan" freed
says err 'use-after-poison' 'asan: use after free'
says err 'is 3 bytes inside the free object .* of cache thing (40 bytes)' 'asan: and where'
try "$tmp/asan" behind
says err 'is 0 bytes behind the object .* of cache thing' 'asan: a byte too far'
try "$tmp/asan" end
says err 'is 20 bytes inside the object .* of cache kmalloc-32' 'asan: behind what was asked for'
try "$tmp/asan" twice
says err 'BUG thing: Object already free' 'asan: a second free'
try "$tmp/asan" later
says err 'is 3 bytes inside the free object .* of cache thing' 'asan: use after free, 500 allocations later'
try "$tmp/asan" later-twice
says err 'BUG thing: Object already free' 'asan: a second free, 500 allocations later'
try "$tmp/asan" page
says err 'is in page .*, which is free' 'asan: a page after its free'
for what in 's inside .* of cache thing' 'k inside .* of cache kmalloc-32' 'p in page'; do
	try "$tmp/asan" "rest-${what%% *}"
	says err "is .*${what#* }" "asan: what rests in a reserve: $what"
done
try "$tmp/asan" nameless
[ "$rc" -eq 0 ] && [ ! -s "$tmp/err" ]
ok $? 'asan: where no file can be, none is wanted'

if command -v valgrind >/dev/null; then
	cc_prog plain ''
	vg='valgrind -q --error-exitcode=7 --track-origins=yes'
	try $vg "$tmp/plain" clean
	status 0 'valgrind: what is allowed'
	try $vg "$tmp/plain" zeroes
	status 0 'valgrind: zeroes, of memory that was fresh and that was not'
	try $vg "$tmp/plain" freed
	status 7 'valgrind: use after free'
	says err 'is 3 bytes inside a slab of cache thing' 'valgrind: and where'
	try $vg "$tmp/plain" later
	says err 'is 3 bytes inside a slab of cache thing' 'valgrind: 500 allocations later'
	try $vg "$tmp/plain" behind
	says err 'is 40 bytes inside a slab of cache thing' 'valgrind: a byte too far'
	try $vg "$tmp/plain" end
	says err 'is 20 bytes inside a slab of cache kmalloc-32' 'valgrind: behind what was asked for'
	mkdir "$tmp/names"
	vg="env TMPDIR=$tmp/names $vg"
	try $vg "$tmp/plain" unset
	says err 'depends on uninitialised value' 'valgrind: what was never written'
	says err ' at .*: an object of a slab of cache thing (in ' 'valgrind: of which cache'
	says err 'main (prog.c:1' 'valgrind: and who asked for it'
	try $vg "$tmp/plain" unset-bytes
	says err ' at .*: an object of a slab of cache kmalloc-32 (in ' 'valgrind: bytes of a kmalloc'
	try $vg "$tmp/plain" unset-page
	says err ' at .*: pages of alloc_pages (in ' 'valgrind: a page'
	for what in 's inside a slab of cache thing' 'k inside a slab of cache kmalloc-32' 'p Address'; do
		try $vg "$tmp/plain" "rest-${what%% *}"
		says err 'Invalid read' "valgrind: what rests in a reserve: ${what%% *}"
		says err "${what#* }" "valgrind: and whose it is: ${what%% *}"
	done
	for what in 's a slab of cache thing' 'k a slab of cache kmalloc-32' 'p pages of alloc_pages'; do
		try $vg "$tmp/plain" "over-${what%% *}"
		says err " at .*: .*${what#* }" "valgrind: out of a reserve: $what"
	done
	pools=$build-debug/tests/conformance/test_mempool_element
	if [ -x "$pools" ]; then
		try env TAP_NOFORK=1 $vg "$pools" that_rest own_elements
		status 0 'valgrind: elements are hidden once and shown once'
	else
		skip 'valgrind: elements' "there is no $pools"
	fi
	try $vg "$tmp/plain" moved
	says err 'moved (prog.c' 'valgrind: copied, and looked at when there is no machine'
	says err ' at .*: an object of a slab of cache thing (in ' 'valgrind: of which cache it was'
	try $vg "$tmp/plain" many
	says err ' at .*: an object (in ' 'valgrind: more caches than names'
	[ -z "$(ls "$tmp/names")" ]
	ok $? 'valgrind: no file is left'
	try $vg "$tmp/plain" nameless
	[ "$(grep -c 'not told names of caches: .* /nowhere (TMPDIR)' "$tmp/err")" -eq 1 ]
	ok $? 'valgrind: where no file can be, it is said once'
	says err 'by .*: port_watch_object' 'valgrind: and goes without names'
	try $vg "$tmp/plain" twice
	says err 'BUG thing: Object already free' 'valgrind: a second free'
	i386=$top/build/posix-i386
	if [ "$(uname -m)" = x86_64 ] && [ -f "$i386/libkmem.a" ] && [ -z "${KMEM_NO_32BIT:-}" ]; then
		# Static, since the symbols of the loader that valgrind wants are seldom there.
		(build=$i386; cc_prog i386 '-m32 -static')
		try $vg "$tmp/i386" unset
		says err ' at .*: an object of a slab of cache thing (in ' 'valgrind: in 32 bits'
		says err 'main (prog.c:1' 'valgrind: in 32 bits, who asked for it'
	else
		skip 'valgrind in 32 bits' "there is no $i386 (make ARCH=i386 libs), or this kernel runs none"
	fi
else
	skip 'valgrind' 'valgrind is missing'
fi

msan=$top/build/posix-$(uname -m)-msan
if [ -f "$msan/libkmem.a" ]; then
	CC=$(command -v clang-14 || echo clang) build=$msan
	cc_prog msan '-fno-omit-frame-pointer -fsanitize=memory -fsanitize-memory-track-origins'
	for what in clean zeroes behind; do
		try "$tmp/msan" $what
		status 0 "msan: what reads nothing that was not set: $what"
	done
	try "$tmp/msan" unset
	says err "allocation of 'an object of a slab of cache thing'" 'msan: what was never written, of which cache'
	says err 'in main .*prog.c:1' 'msan: and who asked for it'
	try "$tmp/msan" unset-bytes
	says err "allocation of 'an object of a slab of cache kmalloc-32'" 'msan: bytes of a kmalloc'
	try "$tmp/msan" unset-page
	says err "allocation of 'pages of alloc_pages'" 'msan: a page'
	for what in freed later; do
		try "$tmp/msan" $what
		says err "allocation of 'a freed object of a slab of cache thing'" "msan: use after free: $what"
	done
	for what in 's freed object of a slab of cache thing' 'k freed object of a slab of cache kmalloc-32' \
		"p memory that is nobody's"; do
		try "$tmp/msan" "rest-${what%% *}"
		says err "allocation of '.*${what#* }'" "msan: what rests in a reserve: $what"
	done
	try "$tmp/msan" page
	status 0 'msan: a value that nothing depends on'
else
	skip 'MemorySanitizer' "there is no $msan: make VARIANT=msan libs"
fi
finish
