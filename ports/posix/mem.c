/* SPDX-License-Identifier: MIT */
/*
 * The direct map: one reservation of address space without access, made usable by chunks.
 *
 *	port_lowmem()                                        lowmem_bytes
 *	| chunk 0 RW | chunk 1 none | chunk 2 RW | ...        |
 *
 * A chunk is 4 MiB, the largest block of the buddy allocator, so a commit is one system call for the
 * first block of a chunk and a test of one bit afterwards, and neighbouring chunks merge into one
 * mapping of the kernel. Reserved address space costs nothing and counts against no commit limit; a
 * commit the host refuses is reported when it happens, not by a signal later.
 *
 * A chunk's bit is set after its mprotect. Two tasks may both see it clear and both call mprotect,
 * which is harmless; and both may say the frames are zero, which is true: a frame that was ever
 * handed out passed through the allocator's lock after the bit was set.
 *
 * Frames given back keep their chunk's access and lose their memory (MADV_DONTNEED).
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <fcntl.h>
#include <unistd.h>
#include "posix.h"

enum { CHUNK_SHIFT = 22, WORD_BITS = 32 };
#define CHUNK_BYTES ((size_t)1 << CHUNK_SHIFT)
#define MEM_MINIMUM ((uint64_t)16 << 20)

static unsigned char *low_base;
static size_t low_bytes;
static uint64_t mem_bytes;
static uint32_t *chunk_bits; /* one bit a chunk: it has been made usable */
static size_t chunk_bits_bytes;
static void **owners; /* port_owners() */
#define OWNERS_BYTES (((size_t)PORT_OWNERS * sizeof(void *) + PAGE_SIZE - 1) & PAGE_MASK)

void *port_map(size_t bytes, bool access)
{
	int saved = errno;
	void *p = mmap(NULL, bytes, access ? PROT_READ | PROT_WRITE : PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	errno = saved;
	return p == MAP_FAILED ? NULL : p;
}

/*
 * Programs count on the numbers 3 and up (shells, daemons that close a few), so the descriptor moves
 * near the end of the table, or of its first thousand.
 */
static int fd_out_of_the_way(int fd)
{
	struct rlimit lim;
	int high = 1000, moved;

	if (getrlimit(RLIMIT_NOFILE, &lim) == 0 && lim.rlim_cur < 1024)
		high = (int)lim.rlim_cur / 2;
	moved = fcntl(fd, F_DUPFD_CLOEXEC, high);
	if (moved < 0)
		return fd;
	close(fd);
	return moved;
}

int port_memfd(const char *name, uint64_t bytes)
{
	int saved = errno, fd = memfd_create(name, MFD_CLOEXEC);

	if (fd >= 0 && ftruncate(fd, (off_t)bytes) != 0) {
		close(fd);
		fd = -1;
	}
	if (fd >= 0)
		fd = fd_out_of_the_way(fd);
	errno = saved;
	return fd;
}

/* Can this much address space be reserved now? */
static bool probe(uint64_t bytes)
{
	void *p = bytes <= SIZE_MAX / 2 ? port_map((size_t)bytes, false) : NULL;

	if (p)
		munmap(p, (size_t)bytes);
	return p != NULL;
}

/*
 * The host's memory, halved until it can be reserved together with a quarter, the per-CPU areas and 8 MiB: room
 * for the core's tables and for the program itself, which a limit of address space leaves for neither.
 */
uint64_t port_mem_default(void)
{
	struct sysinfo info;
	int saved = errno;
	uint64_t mem = (uint64_t)1 << 30;

	if (sysinfo(&info) == 0)
		mem = (uint64_t)info.totalram * info.mem_unit;
	mem &= ~(uint64_t)(CHUNK_BYTES - 1);
	while (mem > MEM_MINIMUM &&
	       !probe(mem + mem / 4 + port_areas_bytes() + ((uint64_t)8 << 20)))
		mem = mem / 2 & ~(uint64_t)(CHUNK_BYTES - 1);
	errno = saved;
	return mem > MEM_MINIMUM ? mem : MEM_MINIMUM;
}

/*
 * Where the words of port_owners() reach, somewhere that is as hard to guess as the host's choice nearly: a place of
 * 2^17 and more between 64 GiB and the end of half of what they reach to. Taken by somebody, it is elsewhere.
 */
static void *reserve_low(size_t bytes)
{
	const uint64_t from = (uint64_t)64 << 30, to = (uint64_t)PORT_OWNERS << PAGE_SHIFT >> 1;
	uint64_t at;
	void *p;

	if (to < from || to - from <= bytes)
		return port_map(bytes, false);
	at = from + port_random64() % (to - from - bytes);
	p = mmap((void *)(uintptr_t)(at & ~(uint64_t)(CHUNK_BYTES - 1)), bytes, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	return p == MAP_FAILED ? NULL : p;
}

/* A reservation aligned to a chunk, so that blocks are aligned to their size as addresses too. */
static unsigned char *reserve_aligned(size_t bytes)
{
	unsigned char *raw = reserve_low(bytes + CHUNK_BYTES);
	size_t head, tail;

	if (!raw)
		return NULL;
	head = (CHUNK_BYTES - ((uintptr_t)raw & (CHUNK_BYTES - 1))) & (CHUNK_BYTES - 1);
	tail = CHUNK_BYTES - head;
	if (head)
		munmap(raw, head);
	if (tail)
		munmap(raw + head + bytes, tail);
	return raw + head;
}

/*
 * The words of all frames up to 4 TiB, which are to be read, but for the direct map's: 8 GiB of address
 * space, of which the kernel counts, and backs, what is written to. Not under a limit of address space, which has
 * better uses for it, nor where no hit would be taken.
 */
void **port_owners(void)
{
	uintptr_t first = (uintptr_t)low_base, end = first + low_bytes;
	int saved = errno;
	struct rlimit lim;
	void **words;

	if (!port_rseq_cpus || (uint64_t)end > (uint64_t)PORT_OWNERS << PAGE_SHIFT ||
	    getrlimit(RLIMIT_AS, &lim) != 0 || lim.rlim_cur != RLIM_INFINITY)
		return NULL;
	words = mmap(NULL, OWNERS_BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
		     0);
	errno = saved;
	if (words == MAP_FAILED)
		return NULL;
	first = (uintptr_t)&words[first >> PAGE_SHIFT] & PAGE_MASK;
	end = (uintptr_t)&words[end >> PAGE_SHIFT];
	if (mprotect((void *)first, end - first, PROT_READ | PROT_WRITE) != 0) {
		munmap(words, OWNERS_BYTES);
		errno = saved;
		return NULL;
	}
	owners = words;
	return words;
}

static void low_stop(void)
{
	if (owners)
		munmap(owners, OWNERS_BYTES);
	owners = NULL;
	if (low_base)
		munmap(low_base, low_bytes);
	if (chunk_bits)
		munmap(chunk_bits, chunk_bits_bytes);
	low_base = NULL;
	chunk_bits = NULL;
	low_bytes = 0;
	mem_bytes = 0;
}

static int low_start(size_t bytes, bool huge_pages)
{
	size_t chunks = (bytes + CHUNK_BYTES - 1) >> CHUNK_SHIFT;

	chunk_bits_bytes = (chunks / 8 + PAGE_SIZE) & PAGE_MASK;
	chunk_bits = port_map(chunk_bits_bytes, true);
	low_base = reserve_aligned(bytes);
	low_bytes = bytes;
	if (!chunk_bits || !low_base) {
		low_stop();
		return -PORT_ENOMEM;
	}
	if (huge_pages) /* advice: a host without huge pages is no error */
		madvise(low_base, low_bytes, MADV_HUGEPAGE);
	return 0;
}

static bool plan_ok(const struct port_plan *plan)
{
	const uint64_t page = PAGE_SIZE - 1;

	return plan->mem_bytes && !(plan->mem_bytes & page) && !(plan->lowmem_bytes & page) &&
	       plan->lowmem_bytes && plan->lowmem_bytes <= plan->mem_bytes &&
	       plan->nr_cpus <= KMEM_MAX_CPUS;
}

int port_start(const struct port_plan *plan)
{
	int saved = errno, rc;

	if (!plan_ok(plan) || low_base)
		return -PORT_EINVAL;
	if (plan->lowmem_bytes > SIZE_MAX / 2)
		return -PORT_ENOMEM;
	port_random_seed(plan->seed);
	rc = low_start((size_t)plan->lowmem_bytes, plan->huge_pages);
	if (!rc)
		rc = port_high_start(plan->lowmem_bytes, plan->mem_bytes - plan->lowmem_bytes);
	if (rc) {
		low_stop();
	} else {
		mem_bytes = plan->mem_bytes;
		port_vmap_start(mem_bytes);
		port_cpus_start(plan->nr_cpus);
	}
	errno = saved;
	return rc;
}

void port_stop(void)
{
	int saved = errno;

	port_meta_stop();
	port_areas_stop();
	port_vmap_stop();
	port_high_stop();
	low_stop();
	errno = saved;
}

unsigned int port_ranges(struct port_range *r, unsigned int max)
{
	if (max == 0 || mem_bytes == 0)
		return 0;
	r[0].start = 0;
	r[0].end = mem_bytes;
	return 1;
}

void *port_lowmem(void)
{
	return low_base;
}

static bool chunk_usable(size_t chunk)
{
	/* Pairs with the release in chunk_commit. */
	return (__atomic_load_n(&chunk_bits[chunk / WORD_BITS], __ATOMIC_ACQUIRE) >>
		(chunk % WORD_BITS)) &
	       1;
}

static bool chunk_commit(size_t chunk)
{
	size_t start = chunk << CHUNK_SHIFT, n = low_bytes - start;

	if (n > CHUNK_BYTES)
		n = CHUNK_BYTES;
	if (mprotect(low_base + start, n, PROT_READ | PROT_WRITE) != 0)
		return false;
	__atomic_fetch_or(&chunk_bits[chunk / WORD_BITS], (uint32_t)1 << (chunk % WORD_BITS),
			  __ATOMIC_RELEASE);
	return true;
}

/* A chunk committed before a later one is refused stays so: it is address space, not memory. */
static int low_commit(size_t start, size_t end)
{
	size_t chunk = start >> CHUNK_SHIFT, last = (end - 1) >> CHUNK_SHIFT;
	int zeroed = 1, saved = errno;

	for (; chunk <= last; chunk++) {
		if (chunk_usable(chunk)) {
			zeroed = 0;
		} else if (!chunk_commit(chunk)) {
			errno = saved;
			return -PORT_ENOMEM;
		}
	}
	errno = saved;
	return zeroed;
}

/* Both: a range lies in the direct map or above it, or spans the border. */
int port_commit(unsigned long pfn, unsigned long n)
{
	const unsigned long border = (unsigned long)(low_bytes >> PAGE_SHIFT);
	unsigned long low_n = pfn >= border ? 0 : n < border - pfn ? n : border - pfn;
	int rc = 1, high_rc = 1;

	if (n == 0)
		return 0;
	if ((((uint64_t)pfn + n) << PAGE_SHIFT) > mem_bytes)
		return -PORT_ENOMEM;
	if (low_n)
		rc = low_commit((size_t)pfn << PAGE_SHIFT, (size_t)(pfn + low_n) << PAGE_SHIFT);
	if (rc >= 0 && low_n < n)
		high_rc = port_high_commit((uint64_t)pfn + low_n - border, n - low_n);
	if (rc < 0 || high_rc < 0)
		return -PORT_ENOMEM;
	return rc && high_rc;
}

/* The host may refuse for locked memory (mlockall): then it keeps what the program wants kept. */
void port_decommit(unsigned long pfn, unsigned long n)
{
	const unsigned long border = (unsigned long)(low_bytes >> PAGE_SHIFT);
	unsigned long low_n = pfn >= border ? 0 : n < border - pfn ? n : border - pfn;
	int saved = errno;

	if (low_n)
		madvise(low_base + ((size_t)pfn << PAGE_SHIFT), (size_t)low_n << PAGE_SHIFT,
			MADV_DONTNEED);
	if (low_n < n)
		port_high_decommit((uint64_t)pfn + low_n - border, n - low_n);
	errno = saved;
}
