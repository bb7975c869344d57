/* SPDX-License-Identifier: MIT */
/*
 * <linux/dma-mapping.h>: a bus address is the physical address, and there is no IOMMU and no cache to
 * be flushed. What is left is what a driver can get wrong: memory that its device cannot reach is
 * refused, by the mask that the driver has set.
 */
#ifndef KMEM_COMPAT_DMA_MAPPING_H
#define KMEM_COMPAT_DMA_MAPPING_H
#define _LINUX_DMA_MAPPING_H

#include <linux/types.h>
#include <linux/device.h>
#include <linux/gfp.h>
#ifndef KMEM_ENV_HOSTED
#include <linux/dma-direction.h>
#include <linux/scatterlist.h>
#include <linux/sizes.h>
#else
enum dma_data_direction { DMA_BIDIRECTIONAL, DMA_TO_DEVICE, DMA_FROM_DEVICE, DMA_NONE };
#endif

#define DMA_ATTR_WEAK_ORDERING	    (1UL << 1)
#define DMA_ATTR_WRITE_COMBINE	    (1UL << 2)
#define DMA_ATTR_NO_KERNEL_MAPPING  (1UL << 4)
#define DMA_ATTR_SKIP_CPU_SYNC	    (1UL << 5)
#define DMA_ATTR_FORCE_CONTIGUOUS   (1UL << 6)
#define DMA_ATTR_ALLOC_SINGLE_PAGES (1UL << 7)
#define DMA_ATTR_NO_WARN	    (1UL << 8)
#define DMA_MAPPING_ERROR	    (~(dma_addr_t)0)
#define DMA_BIT_MASK(n)		    ((n) == 64 ? ~0ULL : (1ULL << (n)) - 1)

/* Zeroed, physically contiguous, within the device's coherent mask: from a zone that lies there. May
 * sleep if gfp may. NULL: none, or no mask can be served. */
void *dma_alloc_attrs(struct device *dev, size_t size, dma_addr_t *dma, gfp_t gfp,
		      unsigned long attrs);
void dma_free_attrs(struct device *dev, size_t size, void *p, dma_addr_t dma, unsigned long attrs);
#define dma_alloc_coherent(dev, size, dma, gfp) dma_alloc_attrs((dev), (size), (dma), (gfp), 0)
#define dma_free_coherent(dev, size, p, dma)	dma_free_attrs((dev), (size), (p), (dma), 0)
#define dma_alloc_wc(dev, size, dma, gfp) \
	dma_alloc_attrs((dev), (size), (dma), (gfp), DMA_ATTR_WRITE_COMBINE)
#define dma_free_wc(dev, size, p, dma) \
	dma_free_attrs((dev), (size), (p), (dma), DMA_ATTR_WRITE_COMBINE)
#define dma_alloc_noncoherent(dev, size, dma, dir, gfp) dma_alloc_coherent(dev, size, dma, gfp)
#define dma_free_noncoherent(dev, size, p, dma, dir)	dma_free_coherent(dev, size, p, dma)
/* Freed with the device. */
void *dmam_alloc_attrs(struct device *dev, size_t size, dma_addr_t *dma, gfp_t gfp,
		       unsigned long attrs);
void dmam_free_coherent(struct device *dev, size_t size, void *p, dma_addr_t dma);
#define dmam_alloc_coherent(dev, size, dma, gfp) dmam_alloc_attrs((dev), (size), (dma), (gfp), 0)

/* DMA_MAPPING_ERROR: the device's mask does not reach it, or it has no physical address. */
dma_addr_t dma_map_page_attrs(struct device *dev, struct page *page, size_t offset, size_t size,
			      enum dma_data_direction dir, unsigned long attrs);
dma_addr_t dma_map_single_attrs(struct device *dev, void *p, size_t size,
				enum dma_data_direction dir, unsigned long attrs);
#define dma_map_page(dev, page, off, size, dir) \
	dma_map_page_attrs((dev), (page), (off), (size), (dir), 0)
#define dma_map_single(dev, p, size, dir) dma_map_single_attrs((dev), (p), (size), (dir), 0)

static inline int dma_mapping_error(struct device *dev, dma_addr_t dma)
{
	(void)dev;
	return dma == DMA_MAPPING_ERROR ? -12 : 0;
}

/* Nothing is kept of a mapping. */
#define __kmem_dma_nothing(dev, ...)			  ((void)(dev))
#define dma_unmap_single(dev, dma, size, dir)		  __kmem_dma_nothing(dev)
#define dma_unmap_page(dev, dma, size, dir)		  __kmem_dma_nothing(dev)
#define dma_unmap_single_attrs(dev, dma, size, dir, a)	  __kmem_dma_nothing(dev)
#define dma_unmap_page_attrs(dev, dma, size, dir, a)	  __kmem_dma_nothing(dev)
#define dma_sync_single_for_cpu(dev, dma, size, dir)	  __kmem_dma_nothing(dev)
#define dma_sync_single_for_device(dev, dma, size, dir)	  __kmem_dma_nothing(dev)
#define dma_sync_single_range_for_cpu(d, a, o, s, dir)	  __kmem_dma_nothing(d)
#define dma_sync_single_range_for_device(d, a, o, s, dir) __kmem_dma_nothing(d)
#define dma_sync_sg_for_cpu(dev, sg, n, dir)		  __kmem_dma_nothing(dev)
#define dma_sync_sg_for_device(dev, sg, n, dir)		  __kmem_dma_nothing(dev)
#define dma_unmap_sg(dev, sg, n, dir)			  __kmem_dma_nothing(dev)
#define dma_unmap_sg_attrs(dev, sg, n, dir, attrs)	  __kmem_dma_nothing(dev)

/* -EIO: no memory of this machine lies within the mask. */
int dma_set_mask(struct device *dev, u64 mask);
int dma_set_coherent_mask(struct device *dev, u64 mask);
static inline int dma_set_mask_and_coherent(struct device *dev, u64 mask)
{
	int rc = dma_set_mask(dev, mask);

	return rc ? rc : dma_set_coherent_mask(dev, mask);
}
#define dma_coerce_mask_and_coherent(dev, mask) dma_set_mask_and_coherent((dev), (mask))
u64 dma_get_mask(struct device *dev);
u64 dma_get_required_mask(struct device *dev);
#define dma_max_mapping_size(dev)	((void)(dev), SIZE_MAX)
#define dma_get_seg_boundary(dev)	((void)(dev), ~0ul)
#define dma_get_max_seg_size(dev)	((void)(dev), 65536u)
#define dma_set_max_seg_size(dev, size) ((void)(dev), (void)(size), 0)
#define dma_set_seg_boundary(dev, mask) ((void)(dev), (void)(mask), 0)
#define dma_get_cache_alignment()	ARCH_KMALLOC_MINALIGN
#define is_device_dma_capable(dev)	true
#define dma_need_sync(dev, dma)		false

#ifndef KMEM_ENV_HOSTED
/* The number of entries mapped; 0: one of them cannot be reached. */
static inline int dma_map_sg_attrs(struct device *dev, struct scatterlist *sg, int nents,
				   enum dma_data_direction dir, unsigned long attrs)
{
	struct scatterlist *s;
	int i;

	for_each_sg(sg, s, nents, i)
	{
		s->dma_address =
			dma_map_page_attrs(dev, sg_page(s), s->offset, s->length, dir, attrs);
		if (s->dma_address == DMA_MAPPING_ERROR)
			return 0;
		sg_dma_len(s) = s->length;
	}
	return nents;
}
#define dma_map_sg(dev, sg, n, dir) dma_map_sg_attrs((dev), (sg), (n), (dir), 0)
static inline int dma_map_sgtable(struct device *dev, struct sg_table *sgt,
				  enum dma_data_direction dir, unsigned long attrs)
{
	int n = dma_map_sg_attrs(dev, sgt->sgl, (int)sgt->orig_nents, dir, attrs);

	sgt->nents = (unsigned int)n;
	return n ? 0 : -5;
}
#define dma_unmap_sgtable(dev, sgt, dir, attrs) __kmem_dma_nothing(dev)
#define dma_sync_sgtable_for_cpu(dev, sgt, dir) __kmem_dma_nothing(dev)
#define dma_sync_sgtable_for_device(dev, s, d)	__kmem_dma_nothing(dev)
#define DEFINE_DMA_UNMAP_ADDR(name)		dma_addr_t name
#define DEFINE_DMA_UNMAP_LEN(name)		__u32 name
#define dma_unmap_addr(p, name)			((p)->name)
#define dma_unmap_addr_set(p, name, v)		((p)->name = (v))
#define dma_unmap_len(p, name)			((p)->name)
#define dma_unmap_len_set(p, name, v)		((p)->name = (v))
#endif

#endif
