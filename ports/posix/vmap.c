/* SPDX-License-Identifier: MIT */
/*
 * Contiguous addresses over scattered frames.
 *
 * A frame outside the direct map is a page of a file and can be mapped wherever it is wanted. One of
 * the direct map is private anonymous memory, which the host maps once (as a file a fork would share
 * it, and a malloc's memory must be copied). So it moves: the area gets private memory of its own in
 * the frame's place, and the frame gives its memory back to the host; what the process holds is the
 * same before and after, and fork copies it as before.
 *
 *	direct map	| .. | frame | .. |		guarded: trapping, without memory
 *	area		| frame's contents | ...	private memory
 *
 * Guards (MADV_GUARD_INSTALL, Linux 6.13) trap without a mapping of their own, of which a process has
 * 65530 at most. Where the host knows none, the address reads as zeroes and must not be used all the
 * same.
 *
 * Contents that are to be kept are copied there and back: a page costs less to copy than a mapping to
 * move.
 *
 * The range is reserved at its first use: who calls no vmalloc has all of a limited address space.
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <string.h>
#include <sys/mman.h>
#include "posix.h"

enum { GUARD_INSTALL = 102, GUARD_REMOVE = 103 };

/* Areas leave holes, so twice the memory; a 32-bit process spares what the kernel of one does. */
static const uint64_t vmap_most = sizeof(void *) > 4 ? (uint64_t)1 << 40 : (uint64_t)128 << 20;
static const size_t vmap_least = (size_t)1 << 20;

static unsigned char *vmap_base;
static size_t vmap_bytes;
static uint64_t vmap_wanted;

void port_vmap_start(uint64_t mem_bytes)
{
	vmap_wanted = mem_bytes > vmap_most / 2 ? vmap_most : mem_bytes * 2;
}

void port_vmap_stop(void)
{
	if (vmap_base)
		munmap(vmap_base, vmap_bytes);
	vmap_base = NULL;
	vmap_bytes = 0;
}

/* Half as much again must be left to the program where address space is limited. */
static void *reserve(size_t want)
{
	unsigned char *p = port_map(want + want / 2, false);

	if (p)
		munmap(p + want, want / 2);
	return p;
}

/* The caller sees to it that one task at a time is here. */
void *port_vmap_base(size_t *bytes)
{
	size_t want = (size_t)vmap_wanted;
	int saved = errno;

	for (; !vmap_base && want >= vmap_least; want = want / 2 & ~(2 * PAGE_SIZE - 1)) {
		vmap_base = reserve(want);
		vmap_bytes = vmap_base ? want : 0;
	}
	errno = saved;
	*bytes = vmap_bytes;
	return vmap_base;
}

bool port_vmap_moves(void)
{
	return true;
}

static bool is_high(unsigned long pfn)
{
	return port_high_has(pfn, 1);
}

static unsigned char *low_at(unsigned long pfn)
{
	return (unsigned char *)port_lowmem() + ((size_t)pfn << PAGE_SHIFT);
}

/* How many frames of pfn[] from i on lie one behind the other, on one side of the border. */
static unsigned int run_length(const unsigned long *pfn, unsigned int i, unsigned int n)
{
	unsigned int len = 1;

	while (i + len < n && pfn[i + len] == pfn[i] + len &&
	       is_high(pfn[i + len]) == is_high(pfn[i]))
		len++;
	return len;
}

/* What one call can map: such a run of the file, or any frames whose place is new memory. */
static unsigned int stretch_length(const unsigned long *pfn, unsigned int i, unsigned int n)
{
	unsigned int len = 1;

	if (is_high(pfn[i]))
		return run_length(pfn, i, n);
	while (i + len < n && !is_high(pfn[i + len]))
		len++;
	return len;
}

static bool map_stretch(unsigned char *va, unsigned long pfn, unsigned int n)
{
	if (is_high(pfn))
		return port_high_show(va, pfn, n);
	return mmap(va, (size_t)n << PAGE_SHIFT, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != MAP_FAILED;
}

/* The host may refuse to take locked memory (mlockall): then the frame keeps it, unused. */
static void run_leave(unsigned char *va, unsigned long pfn, unsigned int n, bool keep)
{
	const size_t bytes = (size_t)n << PAGE_SHIFT;

	if (keep)
		memcpy(va, low_at(pfn), bytes);
	/* Both: emulators say yes to an advice they do not know, and do nothing. */
	madvise(low_at(pfn), bytes, MADV_DONTNEED);
	madvise(low_at(pfn), bytes, GUARD_INSTALL);
}

static void run_return(const unsigned char *va, unsigned long pfn, unsigned int n, bool keep)
{
	const size_t bytes = (size_t)n << PAGE_SHIFT;

	madvise(low_at(pfn), bytes, GUARD_REMOVE);
	if (keep)
		memcpy(low_at(pfn), va, bytes);
}

/* All that can be refused comes first. */
int port_vmap(void *va, const unsigned long *pfn, unsigned int n, bool keep)
{
	unsigned char *at = va;
	int saved = errno, rc = PORT_VMAP_ZEROED;
	unsigned int i, len;

	for (i = 0; i < n; i += len) {
		len = stretch_length(pfn, i, n);
		if (!map_stretch(at + ((size_t)i << PAGE_SHIFT), pfn[i], len)) {
			if (i)
				port_hide(va, (size_t)i << PAGE_SHIFT);
			errno = saved;
			return -PORT_ENOMEM;
		}
	}
	for (i = 0; i < n; i += len) {
		len = run_length(pfn, i, n);
		if (is_high(pfn[i]) || keep)
			rc = 0;
		if (!is_high(pfn[i]))
			run_leave(at + ((size_t)i << PAGE_SHIFT), pfn[i], len, keep);
	}
	errno = saved;
	return rc;
}

void port_vunmap(void *va, const unsigned long *pfn, unsigned int n, bool keep)
{
	unsigned char *at = va;
	int saved = errno;

	for (unsigned int i = 0, len; i < n; i += len) {
		len = run_length(pfn, i, n);
		if (!is_high(pfn[i]))
			run_return(at + ((size_t)i << PAGE_SHIFT), pfn[i], len, keep);
	}
	if (n)
		port_hide(va, (size_t)n << PAGE_SHIFT);
	errno = saved;
}
