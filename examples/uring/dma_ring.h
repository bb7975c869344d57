/* SPDX-License-Identifier: MIT */
/*
 * An io_uring whose fixed buffers are the zone DMA of a machine. The ring reads into registered memory
 * without pinning pages on each request; here the zone's hooks register every 4 MiB of the zone when
 * they are first used, so that whatever kmalloc(GFP_DMA) returns lies in a fixed buffer, and nothing
 * else does. That is what zone DMA says of its memory anywhere: the device reaches it.
 */
#pragma once
#include <liburing.h>
#include <stdint.h>
#include <kmem/kmem.h>

struct dma_ring {
	struct io_uring ring;
	unsigned int nr_slots;
	/* By the hooks, which run one after the other for a slot, and at once for different ones. */
	unsigned int registered, released, refused;
	int error; /* of the last refusal, negative; 0: none */
};

/*
 * Before kmem_boot: a ring of so many entries, and hooks for the zone DMA of the next machine, which
 * is at most zone_bytes and begins at frame 0. 0 or a negative errno: -ENOSYS or -EPERM where there
 * is no io_uring, -ENOMEM where RLIMIT_MEMLOCK is too small for the ring itself.
 */
int dma_ring_start(struct dma_ring *d, unsigned int entries, size_t zone_bytes);
/* After kmem_shutdown. */
void dma_ring_stop(struct dma_ring *d);
/* One read from the file into len bytes at buf, by IORING_OP_READ_FIXED; user comes back with its
 * completion. buf is from kmalloc(GFP_DMA). False: the ring is full. */
bool dma_ring_read(struct dma_ring *d, int fd, void *buf, unsigned int len, uint64_t offset,
		   void *user);
/* What an error of a registration means, in words. */
const char *dma_ring_why(int error);
