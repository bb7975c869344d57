/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <kmem/stat.h>
#include "dma_ring.h"

enum { SECTION = 4 << 20 }; /* what a zone's memory is populated by */

static unsigned int slot_of(unsigned long pfn)
{
	return (unsigned int)(pfn / (SECTION / PAGE_SIZE));
}

/* A slot of the sparse table gets memory, or (len 0) loses it. */
static int slot_set(struct dma_ring *d, unsigned int slot, void *addr, size_t len)
{
	struct iovec iov = {addr, len};
	__u64 tag = 0;
	int rc = io_uring_register_buffers_update_tag(&d->ring, slot, &iov, &tag, 1);

	return rc == 1 ? 0 : rc < 0 ? rc : -EINVAL;
}

static int populate(void *addr, size_t bytes, unsigned long pfn, void *arg)
{
	struct dma_ring *d = arg;
	int rc = slot_of(pfn) < d->nr_slots ? slot_set(d, slot_of(pfn), addr, bytes) : -ENOSPC;

	if (rc) {
		__atomic_store_n(&d->error, rc, __ATOMIC_RELAXED);
		__atomic_add_fetch(&d->refused, 1, __ATOMIC_RELAXED);
		return rc;
	}
	__atomic_add_fetch(&d->registered, 1, __ATOMIC_RELAXED);
	return 0;
}

static void release(void *addr, size_t bytes, unsigned long pfn, void *arg)
{
	struct dma_ring *d = arg;

	(void)addr;
	(void)bytes;
	(void)slot_set(d, slot_of(pfn), NULL, 0);
	__atomic_add_fetch(&d->released, 1, __ATOMIC_RELAXED);
}

int dma_ring_start(struct dma_ring *d, unsigned int entries, size_t zone_bytes)
{
	static const struct kmem_zone_ops ops = {populate, release};
	int rc;

	memset(d, 0, sizeof(*d));
	d->nr_slots = (unsigned int)((zone_bytes + SECTION - 1) / SECTION);
	rc = io_uring_queue_init(entries, &d->ring, 0);
	if (rc)
		return rc;
	rc = io_uring_register_buffers_sparse(&d->ring, d->nr_slots);
	if (!rc)
		rc = kmem_zone_set_ops(KMEM_ZONE_DMA, &ops, d);
	if (rc)
		io_uring_queue_exit(&d->ring);
	return rc;
}

void dma_ring_stop(struct dma_ring *d)
{
	io_uring_queue_exit(&d->ring);
}

bool dma_ring_read(struct dma_ring *d, int fd, void *buf, unsigned int len, uint64_t offset,
		   void *user)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&d->ring);
	unsigned int slot = slot_of(virt_to_phys(buf) / PAGE_SIZE);

	if (!sqe)
		return false;
	io_uring_prep_read_fixed(sqe, fd, buf, len, offset, (int)slot);
	io_uring_sqe_set_data(sqe, user);
	return true;
}

const char *dma_ring_why(int error)
{
	switch (-error) {
	case ENOSYS:
		return "this kernel has no io_uring";
	case EPERM:
		return "io_uring is not allowed here (kernel.io_uring_disabled, or a container)";
	case ENOMEM:
		return "not enough memory may be locked: raise RLIMIT_MEMLOCK (ulimit -l)";
	case EINVAL:
		return "this kernel's io_uring has no sparse buffer tables (Linux 5.19)";
	default:
		return strerror(-error);
	}
}
