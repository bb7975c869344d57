/* SPDX-License-Identifier: MIT */
/*
 * Frames outside the direct map: a memfd that is mapped nowhere, and windows onto it.
 *
 * The file is sparse and exists only if the machine has such frames. A frame is backed by fallocate,
 * which says so when the host has no memory left (a plain first touch would end in a signal), and
 * remembered in a bitmap, so that a repeat costs no system call. Being a file, this memory is shared
 * with the children of a fork; that is what HIGHMEM means on this port.
 *
 * Windows are a reservation without access; a page of it is mapped over, and back to no access when
 * it is given up, so that a stale pointer traps. A mapping costs 14 us with its first touch; a run of
 * pages in one call, 1 us a page.
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <sys/mman.h>
#include <fcntl.h>
#include <unistd.h>
#include "posix.h"

/* Slots are address space alone; a 32-bit process can spare less of it. */
enum { WINDOW_SLOTS = sizeof(void *) > 4 ? 4096 : 1024, WORD_BITS = 32, INTR_MAX = 1000 };

static int high_fd = -1;
static uint64_t high_first; /* frame number of the file's first page */
static uint64_t high_frames;
static uint32_t *high_bits; /* one bit a frame: it is backed */
static size_t high_bits_bytes;
static unsigned char *window_base;

void port_high_stop(void)
{
	if (high_fd >= 0)
		close(high_fd);
	if (high_bits)
		munmap(high_bits, high_bits_bytes);
	if (window_base)
		munmap(window_base, (size_t)WINDOW_SLOTS << PAGE_SHIFT);
	high_fd = -1;
	high_bits = NULL;
	window_base = NULL;
	high_frames = 0;
}

int port_high_start(uint64_t low_bytes, uint64_t high_bytes)
{
	uint64_t bits_bytes = (high_bytes >> PAGE_SHIFT) / 8 + PAGE_SIZE;

	if (high_bytes == 0)
		return 0;
	if (bits_bytes > SIZE_MAX / 2)
		return -PORT_ENOMEM;
	high_first = low_bytes >> PAGE_SHIFT;
	high_frames = high_bytes >> PAGE_SHIFT;
	high_bits_bytes = (size_t)bits_bytes & PAGE_MASK;
	high_bits = port_map(high_bits_bytes, true);
	high_fd = port_memfd("kmem-highmem", high_bytes);
	window_base = port_map((size_t)WINDOW_SLOTS << PAGE_SHIFT, false);
	if (!high_bits || high_fd < 0 || !window_base) {
		port_high_stop();
		return -PORT_ENOMEM;
	}
	return 0;
}

static bool frame_backed(uint64_t frame)
{
	return (__atomic_load_n(&high_bits[frame / WORD_BITS], __ATOMIC_ACQUIRE) >>
		(frame % WORD_BITS)) &
	       1;
}

static void frame_mark(uint64_t frame, bool backed)
{
	uint32_t bit = (uint32_t)1 << (frame % WORD_BITS);

	/* Releases to the acquire of frame_backed. */
	if (backed)
		__atomic_fetch_or(&high_bits[frame / WORD_BITS], bit, __ATOMIC_RELEASE);
	else
		__atomic_fetch_and(&high_bits[frame / WORD_BITS], ~bit, __ATOMIC_RELEASE);
}

/* A signal makes the host undo what it has backed so far, so each frame is a call of its own: the
 * one frame a storm of signals may interrupt is tried again, and those before it stay. */
static bool frame_back(uint64_t frame)
{
	int tries = 0;

	while (fallocate(high_fd, 0, (off_t)(frame << PAGE_SHIFT), (off_t)PAGE_SIZE) != 0)
		if (errno != EINTR || ++tries > INTR_MAX)
			return false;
	return true;
}

static bool run_back(uint64_t frame, unsigned long n)
{
	if (fallocate(high_fd, 0, (off_t)(frame << PAGE_SHIFT), (off_t)n << PAGE_SHIFT) == 0)
		return true;
	if (errno != EINTR)
		return false;
	for (unsigned long i = 0; i < n; i++)
		if (!frame_back(frame + i))
			return false;
	return true;
}

/* frame counts from the first one of the file. */
int port_high_commit(uint64_t frame, unsigned long n)
{
	unsigned long backed = 0;
	int saved = errno;
	bool ok;

	if (frame + n > high_frames)
		return -PORT_ENOMEM;
	for (unsigned long i = 0; i < n; i++)
		backed += frame_backed(frame + i);
	if (backed == n)
		return 0;
	ok = run_back(frame, n);
	errno = saved;
	if (!ok)
		return -PORT_ENOMEM;
	for (unsigned long i = 0; i < n; i++)
		frame_mark(frame + i, true);
	return backed == 0;
}

void port_high_decommit(uint64_t frame, unsigned long n)
{
	if (frame + n > high_frames)
		return;
	if (fallocate(high_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		      (off_t)(frame << PAGE_SHIFT), (off_t)n << PAGE_SHIFT) != 0)
		return; /* still backed, and marked so */
	for (unsigned long i = 0; i < n; i++)
		frame_mark(frame + i, false);
}

bool port_high_any(void)
{
	return high_frames != 0;
}

bool port_high_has(unsigned long pfn, unsigned int n)
{
	return pfn >= high_first && n <= high_frames && pfn - high_first <= high_frames - n;
}

bool port_high_show(void *va, unsigned long pfn, unsigned int n)
{
	int saved = errno;
	bool ok = mmap(va, (size_t)n << PAGE_SHIFT, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_FIXED | MAP_POPULATE, high_fd,
		       (off_t)((pfn - high_first) << PAGE_SHIFT)) != MAP_FAILED;

	errno = saved;
	return ok;
}

/* By a mapping that needs no memory. If the host has no room for even that, the pages stay readable:
 * no harm is done but that a stale pointer does not trap. */
void port_hide(void *va, size_t bytes)
{
	int saved = errno;

	if (mmap(va, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1,
		 0) == MAP_FAILED)
		mprotect(va, bytes, PROT_NONE);
	errno = saved;
}

void *port_window_base(unsigned int *slots)
{
	*slots = window_base ? WINDOW_SLOTS : 0;
	return window_base;
}

static bool slots_exist(unsigned int slot, unsigned int n)
{
	return window_base && n <= WINDOW_SLOTS && slot <= WINDOW_SLOTS - n;
}

void *port_window_map(unsigned int slot, unsigned long pfn, unsigned int n)
{
	unsigned char *va = window_base + ((size_t)slot << PAGE_SHIFT);

	if (!slots_exist(slot, n) || !port_high_has(pfn, n))
		return NULL;
	return port_high_show(va, pfn, n) ? va : NULL;
}

void port_window_unmap(unsigned int slot, unsigned int n)
{
	if (slots_exist(slot, n))
		port_hide(window_base + ((size_t)slot << PAGE_SHIFT), (size_t)n << PAGE_SHIFT);
}
