/* SPDX-License-Identifier: MIT */
/* What kernel code asks of a page and libkmem's descriptors have no room for. */
#include <stdio.h>
#include <stdlib.h>
#include <kmem/stat.h>
#include <linux/mm.h>
#include <asm/posix_types.h> /* of which the next header takes two types */
#include <linux/sysinfo.h>

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

void si_meminfo(struct sysinfo *si)
{
	const struct kmem_stat *st = kmem_stat_get();

	si->totalram = totalram_pages();
	si->freeram = nr_free_pages();
	si->sharedram = si->bufferram = 0;
	si->totalhigh = totalhigh_pages();
	si->freehigh = st ? (unsigned long)st->zone[KMEM_ZONE_HIGHMEM].free : 0;
	si->mem_unit = (unsigned int)PAGE_SIZE;
}

/* Of what may be taken back, half is counted at the least, and what is above the low marks. */
static long beyond(uint64_t pages, uint64_t low)
{
	return (long)(pages - (pages / 2 < low ? pages / 2 : low));
}

long si_mem_available(void)
{
	const struct kmem_stat *st = kmem_stat_get();
	uint64_t low = 0, file = 0;
	long n;

	if (!st)
		return 0;
	for (unsigned int i = 0; i < KMEM_NR_ZONES; i++) {
		low += st->zone[i].low;
		file += st->zone[i].lru[KMEM_LRU_INACTIVE_FILE] +
			st->zone[i].lru[KMEM_LRU_ACTIVE_FILE];
	}
	n = (long)nr_free_pages() - (long)st->totalreserve_pages;
	n += beyond(file, low) + beyond(st->nr_slab_reclaimable, low);
	return n < 0 ? 0 : n;
}
