/* SPDX-License-Identifier: MIT */
/* What kernel code asks of a page and libkmem's descriptors have no room for. */
#include <stdio.h>
#include <stdlib.h>
#include <kmem/stat.h>
#include <linux/mm.h>

enum { CHUNK_BITS = 15, ROOT_BITS = sizeof(long) == 8 ? 18 : 9 };

/* The private words of 2^CHUNK_BITS frames each, made when the first of them is asked for; the host
 * backs what is written to. They are the process's: a machine that is started again finds them. */
static unsigned long *chunks[1 << ROOT_BITS];

unsigned long *kmem_env_page_private(const struct page *page)
{
	unsigned long pfn = page_to_pfn(page), *none = NULL, *chunk;
	unsigned long **at = &chunks[pfn >> CHUNK_BITS];

	if (pfn >> CHUNK_BITS >= sizeof(chunks) / sizeof(chunks[0])) {
		fprintf(stderr, "kmem: frame %lu has no private word\n", pfn);
		abort();
	}
	chunk = __atomic_load_n(at, __ATOMIC_ACQUIRE);
	if (!chunk) {
		chunk = calloc((size_t)1 << CHUNK_BITS, sizeof(*chunk));
		if (!chunk) {
			fprintf(stderr,
				"kmem: the host has no memory for private words of pages\n");
			abort();
		}
		/* Pairs with the load above, in whoever comes second. */
		if (!__atomic_compare_exchange_n(at, &none, chunk, false, __ATOMIC_ACQ_REL,
						 __ATOMIC_ACQUIRE)) {
			free(chunk);
			chunk = none;
		}
	}
	return &chunk[pfn & ((1ul << CHUNK_BITS) - 1)];
}

unsigned long totalram_pages(void)
{
	const struct kmem_stat *st = kmem_stat_get();

	return st ? (unsigned long)st->total_pages : 0;
}

unsigned long totalhigh_pages(void)
{
	const struct kmem_stat *st = kmem_stat_get();

	return st ? (unsigned long)st->zone[KMEM_ZONE_HIGHMEM].managed : 0;
}

unsigned long nr_free_pages(void)
{
	const struct kmem_stat *st = kmem_stat_get();
	unsigned long n = 0;

	for (unsigned int i = 0; st && i < KMEM_NR_ZONES; i++)
		n += (unsigned long)st->zone[i].free;
	return n;
}
