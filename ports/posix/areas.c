/* SPDX-License-Identifier: MIT */
/*
 * The per-CPU areas: one reservation of address space, kept for the life of the process, in which the area of a
 * CPU is found from its number by a shift (stack_rseq.h).
 *
 *	 -2         -1         0          1                 nr         the highest number
 *	| nobody's | nobody's | CPU 0's  | CPU 1's  | ... | nobody's | ... | nobody's |
 *
 * Nobody's are never written to, so they are zero, which makes their stacks refuse, and take no memory; but for
 * -1, where the core keeps what is the same for all CPUs. A thread that is not registered for restartable
 * sequences says -1 or -2. The numbers are those of all CPUs that the host may ever have, whichever of them the
 * process may run on now.
 *
 * It is never given back: a thread that was once told to announce its sequences to the kernel goes on to use its
 * CPU's number when the next machine does without sequences.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "posix.h"

#if PORT_RSEQ
enum { BEFORE = 2, IDS_MOST = 8192 }; /* what Linux may be built for */

unsigned char *port_areas_base;

static size_t areas_bytes; /* of the reservation, with those before CPU 0's */

/* One more than the last number of the list of all CPUs that there may ever be ("0-63"); 0: there is no list. */
static size_t ids_listed(void)
{
	int fd = open("/sys/devices/system/cpu/possible", O_RDONLY | O_CLOEXEC);
	char text[256];
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text));
	size_t last = 0;

	if (fd >= 0)
		close(fd);
	for (ssize_t i = 0; i < n && text[i] != '\n'; i++)
		last = text[i] < '0' || text[i] > '9' ? 0 : last * 10 + (size_t)(text[i] - '0');
	return n > 0 && last < IDS_MOST ? last + 1 : 0;
}

/* Without a list, as many as there is room for in a mask of them. */
static size_t ids_masked(void)
{
	unsigned long mask[IDS_MOST / (8 * sizeof(long))];
	long bytes = syscall(SYS_sched_getaffinity, 0, sizeof(mask), mask);

	return bytes > 0 ? (size_t)bytes * 8 : IDS_MOST;
}

/* The host is asked once: its answer never changes. */
static size_t cpu_ids(void)
{
	static size_t ids;

	if (!ids)
		ids = ids_listed();
	if (!ids)
		ids = ids_masked();
	return ids;
}

size_t port_areas_bytes(void)
{
	return (BEFORE + cpu_ids()) << PORT_AREA_SHIFT;
}

static unsigned char *areas_start(void)
{
	return port_areas_base - BEFORE * PORT_AREA_STRIDE;
}

/* A machine of more CPUs than the host has numbers needs another one; nobody uses that there is. */
static bool reserve(size_t bytes)
{
	void *p;

	if (bytes <= areas_bytes)
		return true;
	p = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED)
		return false;
	if (areas_bytes)
		munmap(areas_start(), areas_bytes);
	port_areas_base = (unsigned char *)p + BEFORE * PORT_AREA_STRIDE;
	areas_bytes = bytes;
	return true;
}

int port_areas(unsigned int nr, void **base, unsigned int *shift)
{
	size_t least = port_areas_bytes(), most = (BEFORE + (size_t)nr) << PORT_AREA_SHIFT;
	int saved = errno, rc = -12;

	if (reserve(least > most ? least : most) &&
	    mprotect(port_areas_base - PORT_AREA_STRIDE, (nr + 1) * PORT_AREA_STRIDE,
		     PROT_READ | PROT_WRITE) == 0) {
		*base = port_areas_base;
		*shift = PORT_AREA_SHIFT;
		rc = 0;
	}
	errno = saved;
	return rc;
}

void port_areas_stop(void)
{
	if (!areas_bytes)
		return;
	madvise(areas_start(), areas_bytes, MADV_DONTNEED);
	mprotect(areas_start(), areas_bytes, PROT_READ);
}
#else
size_t port_areas_bytes(void)
{
	return 0;
}

void port_areas_stop(void)
{
}
#endif
