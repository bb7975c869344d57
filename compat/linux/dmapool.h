/* SPDX-License-Identifier: MIT */
/* <linux/dmapool.h>: libkmem's pools; the managed forms go with their device. */
#ifndef KMEM_COMPAT_DMAPOOL_H
#define KMEM_COMPAT_DMAPOOL_H
#define LINUX_DMAPOOL_H

#include <linux/types.h>
#include <linux/gfp.h>
#include <kmem/dmapool.h>

struct dma_pool *dmam_pool_create(const char *name, struct device *dev, size_t size, size_t align,
				  size_t boundary);
void dmam_pool_destroy(struct dma_pool *pool, struct device *dev);

#endif
