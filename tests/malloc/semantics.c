/* SPDX-License-Identifier: MIT */
/* Every function of the family: what it returns, its alignment, its edges, errno. */
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "check.h"

#define KIB 1024UL
#define MIB (1024UL * KIB)

/* Out of the compiler's sight: it knows that such sizes cannot be had, and what malloc is. */
static volatile size_t hide;
static size_t huge_size(size_t n)
{
	return n + hide;
}

static int aligned(const void *p, size_t align)
{
	return p && ((uintptr_t)p & (align - 1)) == 0;
}

static int all(const unsigned char *p, size_t n, unsigned char v)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] != v)
			return 0;
	}
	return 1;
}

static void test_malloc(void)
{
	static const size_t size[] = {1,     8,	    9,	   16,	  17,	24,	 95,	     96,
				      100,   192,   200,   4095,  4096, 4097,	 8192,	     8193,
				      12288, 20000, 32768, 65537, MIB,	1153433, 5 * MIB + 1};
	int good = 1, use = 1;

	for (size_t i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
		unsigned char *p = malloc(size[i]);

		good &= aligned(p, 16);
		if (!p)
			continue;
		memset(p, 0x5a, size[i]);
		use &= malloc_usable_size(p) >= size[i] && all(p, size[i], 0x5a);
		free(p);
	}
	check(good, "malloc: every size is aligned to 16");
	check(use, "malloc_usable_size: at least what was asked for, and usable");
}

static void test_zero(void)
{
	void *a = malloc(0), *b = malloc(0), *c = calloc(0, 5);

	check(a && b && c && a != b && b != c, "malloc(0): a pointer of its own");
	check(aligned(a, 16), "malloc(0): aligned");
	free(a);
	free(b);
	free(c);
	free(NULL);
	check(malloc_usable_size(NULL) == 0, "malloc_usable_size(NULL) is 0");
}

static void test_refusals(void)
{
	void *p = malloc(64);

	errno = 0;
	check(!malloc(huge_size(SIZE_MAX)) && errno == ENOMEM, "malloc(SIZE_MAX): ENOMEM");
	errno = 0;
	check(!malloc(huge_size((size_t)PTRDIFF_MAX + 1)) && errno == ENOMEM,
	      "malloc(PTRDIFF_MAX + 1): ENOMEM");
	errno = 0;
	check(!malloc(huge_size(PTRDIFF_MAX)) && errno == ENOMEM, "malloc(PTRDIFF_MAX): ENOMEM");
	errno = 0;
	check(!calloc(huge_size(SIZE_MAX / 2), 3) && errno == ENOMEM, "calloc: overflow");
	errno = 0;
	check(!reallocarray(p, huge_size(SIZE_MAX / 2), 3) && errno == ENOMEM,
	      "reallocarray: overflow");
	errno = 0;
	check(!realloc(p, huge_size(SIZE_MAX)) && errno == ENOMEM, "realloc(SIZE_MAX): ENOMEM");
	errno = 0;
	check(!aligned_alloc(64, huge_size(SIZE_MAX)) && errno == ENOMEM,
	      "aligned_alloc(SIZE_MAX): ENOMEM");
	errno = 0;
	check(!memalign(huge_size(SIZE_MAX / 2 + 1), 8) && errno != 0, "memalign: huge alignment");
	errno = 0;
	check(!pvalloc(huge_size(SIZE_MAX)) && errno == ENOMEM, "pvalloc(SIZE_MAX): ENOMEM");
	memset(p, 1, 64);
	free(p);
}

static void test_calloc(void)
{
	static const size_t size[] = {1, 16, 100, 4096, 8192, 8193, 100000, 3 * MIB};
	int good = 1;

	for (int round = 0; round < 3; round++) {
		for (size_t i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
			unsigned char *p = calloc(1, size[i]);

			good &= p && all(p, size[i], 0);
			if (p)
				memset(p, 0xff, malloc_usable_size(p));
			free(p);
		}
	}
	check(good, "calloc: zero, also where dirty memory was before");
}

static void fill(unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)(i * 7 + (i >> 8));
}

static int filled(const unsigned char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] != (unsigned char)(i * 7 + (i >> 8)))
			return 0;
	}
	return 1;
}

static void test_realloc(void)
{
	static const size_t size[] = {1,     10,    16,	    17,	     100,     5000,   8192,  8193,
				      20000, 65536, 100000, 3 * MIB, 4 * MIB, 100000, 30000, 9000,
				      8000,  300,   20,	    1,	     MIB,     10};
	unsigned char *p = realloc(NULL, 3);
	size_t have = 3;
	int good = p != NULL;

	fill(p, have);
	for (size_t i = 0; good && i < sizeof(size) / sizeof(size[0]); i++) {
		size_t keep = have < size[i] ? have : size[i];

		p = realloc(p, size[i]);
		good = aligned(p, 16) && filled(p, keep) && malloc_usable_size(p) >= size[i];
		have = size[i];
		fill(p, have);
	}
	check(good, "realloc: up and down through all kinds of block keeps the contents");
	check(realloc(p, 0) == NULL, "realloc(p, 0): freed, NULL");
}

static void test_realloc_steps(void)
{
	unsigned char *p = malloc(1), *q;
	size_t have = 1;
	int good = p != NULL;

	fill(p, have);
	for (size_t size = 2; good && size < 20000; size += 1 + size / 100) {
		p = realloc(p, size);
		good = aligned(p, 16) && filled(p, have) && malloc_usable_size(p) >= size;
		have = size;
		fill(p, have);
	}
	for (size_t size = 19000; good && size > 0; size -= 1 + size / 50) {
		p = realloc(p, size);
		good = filled(p, size) && malloc_usable_size(p) >= size;
	}
	check(good, "realloc: by small steps up and down keeps the contents");
	q = realloc(p, malloc_usable_size(p));
	check(q == p, "realloc: what is usable already is had where it lies");
	free(q);
}

static void test_usable(void)
{
	enum { BLOCKS = 40 };
	unsigned char *p[BLOCKS];
	int good = 1;

	for (size_t size = 1; size < 40000; size += 1 + size / 7) {
		for (int i = 0; i < BLOCKS; i++) {
			p[i] = malloc(size);
			memset(p[i], i, malloc_usable_size(p[i]));
		}
		for (int i = 0; i < BLOCKS; i++) {
			good &= all(p[i], malloc_usable_size(p[i]), (unsigned char)i);
			free(p[i]);
		}
	}
	check(good, "malloc_usable_size: all of it is the block's alone");
}

static void test_realloc_large(void)
{
	unsigned char *p = malloc(2 * MIB), *q;
	size_t size = 2 * MIB;
	int good = p != NULL;

	fill(p, size);
	q = realloc(p, MIB);
	check(q == p, "realloc: a large block shrinks where it lies");
	check(malloc_usable_size(q) < MIB + 64 * KIB, "realloc: and gives the rest back");
	p = q;
	for (size = MIB; good && size < 8 * MIB; size += 37 * KIB) {
		size_t old = size;

		p = realloc(p, size + 37 * KIB);
		good = p && filled(p, old > MIB ? MIB : old);
	}
	check(good, "realloc: grows in steps");
	free(p);
	p = malloc(5000);
	fill(p, 5000);
	q = realloc(p, 100);
	check(malloc_usable_size(q) < 5000 && filled(q, 100),
	      "realloc: shrinking gives memory back");
	free(q);
}

static void test_aligned_family(void)
{
	int good = 1, apart = 1;

	for (size_t align = 1; align <= 4 * MIB; align *= 2) {
		for (size_t size = 1; size < 100000; size = size * 3 + 1) {
			unsigned char *p = aligned_alloc(align, size), *q = memalign(align, size);

			good &= aligned(p, align) && aligned(q, align);
			if (!p || !q)
				continue;
			good &= malloc_usable_size(p) >= size && malloc_usable_size(q) >= size;
			memset(p, 1, size);
			memset(q, 2, size);
			apart &= all(p, size, 1) && all(q, size, 2);
			free(p);
			free(q);
		}
	}
	check(good, "aligned_alloc, memalign: every alignment up to 4 MiB");
	check(apart, "aligned_alloc, memalign: blocks do not overlap");
}

static void test_posix_memalign(void)
{
	void *p = (void *)&errno;

	check(posix_memalign(&p, 24, 8) == EINVAL, "posix_memalign: 24 is no alignment");
	check(posix_memalign(&p, 2, 8) == EINVAL, "posix_memalign: less than a pointer");
	check(posix_memalign(&p, 0, 8) == EINVAL, "posix_memalign: 0");
	check(posix_memalign(&p, 64, huge_size(PTRDIFF_MAX)) == ENOMEM, "posix_memalign: ENOMEM");
	check(p == (void *)&errno, "posix_memalign: a failure leaves the pointer alone");
	check(posix_memalign(&p, 4096, 100) == 0 && aligned(p, 4096), "posix_memalign: 4096");
	free(p);
	check(posix_memalign(&p, 64, 0) == 0 && aligned(p, 64), "posix_memalign: size 0");
	free(p);
}

static void test_pages(void)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *v = valloc(100), *w = pvalloc(page + 1), *z = pvalloc(0);
	void *m = memalign(48, 100);

	check(aligned(v, page), "valloc: a page boundary");
	check(aligned(w, page) && malloc_usable_size(w) >= 2 * page, "pvalloc: whole pages");
	check(aligned(z, page), "pvalloc(0)");
	check(aligned(m, 64), "memalign: an odd alignment is rounded up");
	free(v);
	free(w);
	free(z);
	free(m);
}

static void test_errno(void)
{
	void *p[200];
	int good = 1;

	errno = 1234;
	for (size_t i = 0; i < 200; i++)
		p[i] = malloc(i * i * 3);
	errno = 1234;
	for (size_t i = 0; i < 200; i++)
		free(p[i]);
	good &= errno == 1234;
	p[0] = malloc(6 * MIB);
	memset(p[0], 1, 6 * MIB);
	errno = 4321;
	free(p[0]);
	good &= errno == 4321;
	free(NULL);
	malloc_trim(0);
	good &= errno == 4321;
	check(good, "free, malloc_trim: errno is kept");
}

static void test_knobs(void)
{
	void *p = malloc(3 * MIB);
	struct mallinfo2 wide;
	FILE *sink = fopen("/dev/null", "w");

	memset(p, 1, 3 * MIB);
	wide = mallinfo2();
	check(wide.uordblks >= 3 * MIB || wide.hblkhd >= 3 * MIB,
	      "mallinfo2: counts a large block");
	check(mallopt(M_ARENA_MAX, 1) == 1, "mallopt: accepted");
	check(malloc_info(0, sink) == 0 && malloc_info(1, sink) == EINVAL, "malloc_info");
	fclose(sink);
	free(p);
	malloc_trim(0);
	check(mallinfo2().uordblks < wide.uordblks || mallinfo2().hblkhd < wide.hblkhd,
	      "mallinfo2: a freed block is not in use");
}

static void test_pattern(void)
{
	enum { SLOTS = 500 };
	static unsigned char *p[SLOTS];
	static size_t n[SLOTS];
	unsigned int seed = 12345;
	int good = 1;

	for (int i = 0; i < 200000; i++) {
		unsigned int at, big;

		seed = seed * 1103515245u + 12345u;
		at = (seed >> 8) % SLOTS;
		big = (seed >> 20) % 100;
		if (p[at]) {
			good &= p[at][0] == (unsigned char)at &&
				p[at][n[at] - 1] == (unsigned char)at;
			free(p[at]);
		}
		n[at] = 1 + (big == 0 ? (seed >> 4) % 300000 : (seed >> 4) % 2000);
		p[at] = malloc(n[at]);
		memset(p[at], (int)at, n[at] < 4096 ? n[at] : 16);
		p[at][n[at] - 1] = (unsigned char)at;
	}
	for (int i = 0; i < SLOTS; i++)
		free(p[i]);
	check(good, "200000 mixed blocks keep their contents");
}

int main(void)
{
	test_malloc();
	test_zero();
	test_refusals();
	test_calloc();
	test_realloc();
	test_realloc_steps();
	test_usable();
	test_realloc_large();
	test_aligned_family();
	test_posix_memalign();
	test_pages();
	test_errno();
	test_knobs();
	test_pattern();
	return check_done();
}
