/* SPDX-License-Identifier: MIT */
/*
 * Zone hooks: what a platform does to the memory of a zone before anybody gets it. A zone is a range
 * with a meaning ("a device reaches it"); on real hardware the address says so, in a process somebody
 * has to see to it: lock the pages, register them with a device or the kernel.
 * examples/uring makes of zone DMA what io_uring reads into without copying.
 */
#ifndef KMEM_ZONE_H
#define KMEM_ZONE_H

#include <stddef.h>
#include <kmem/config.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/*
 * populate: bytes at addr, frames from pfn on, are backed by the host and about to be handed out for
 * the first time. 0: they may be. Anything else refuses: nobody gets them, the request goes on to
 * another zone or fails, and the next one that comes to these frames asks again. addr is NULL for
 * frames outside the direct map.
 * release: populate has said 0 for exactly these; now they are free, and go back to the host. Called
 * by kmem_trim() and kmem_shutdown(), for leaked memory too. NULL: nothing is to be done.
 *
 * A range is what there is of a zone in a section of 4 MiB; it is populated once before it is
 * released, whoever else wants it meanwhile waits. Both run without a lock, in the task of the request,
 * and may sleep; they must leave the contents alone, and not allocate or free, since what would need a
 * range of any zone with hooks is refused inside them. Where nothing may be waited for (a handler that
 * says kmem_irq_enter() or has interrupted the library, a section, a _nolock call) populate is not
 * called, and the frames are refused. The word alone does not tell: GFP_DMA does not block, and may
 * well populate.
 *
 * Where mapping a page elsewhere takes it out of its place (posix), vmap and vmalloc of such frames
 * fail.
 *
 * After fork nothing is called in the child: what is populated stays usable there as memory, other
 * ranges are refused.
 */
struct kmem_zone_ops {
	int (*populate)(void *addr, size_t bytes, unsigned long pfn, void *arg);
	void (*release)(void *addr, size_t bytes, unsigned long pfn, void *arg);
};

/*
 * For the next machine, until it is shut down or its start is refused. zone: KMEM_ZONE_* of
 * kmem/stat.h; ops is copied, NULL takes the hooks away. 0; -EINVAL: no such zone, or no populate;
 * -EBUSY: a machine is on. Task context, nobody starts a machine meanwhile.
 */
int kmem_zone_set_ops(int zone, const struct kmem_zone_ops *ops, void *arg);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
