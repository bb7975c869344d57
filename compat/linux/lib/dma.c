/* SPDX-License-Identifier: MIT */
/*
 * The DMA interface over physical addresses. A mask chooses the zone: what it cannot reach comes from
 * DMA32 or DMA, and only if all of that zone lies within it; anything else would be luck.
 */
#include <errno.h>
#include <string.h>
#include <kmem/dmapool.h>
#include <kmem/highmem.h>
#include <kmem/stat.h>
#include <linux/device.h>
#include <linux/dma-mapping.h>
#include <linux/dmapool.h>
#include <linux/mm.h>

/* The last byte of a zone, or of the whole machine below it. */
static uint64_t zone_last(unsigned int zone)
{
	const struct kmem_stat *st = kmem_stat_get();
	const struct kmem_stat_zone *z = st ? &st->zone[zone] : NULL;

	return z && z->populated ? ((z->start_pfn + z->spanned) << PAGE_SHIFT) - 1 : 0;
}

/* The flag of the highest zone that lies within the mask; false: there is none. */
static bool zone_for(uint64_t mask, gfp_t *zone)
{
	static const struct {
		unsigned int zone;
		gfp_t gfp;
	} from[] = {
		{KMEM_ZONE_NORMAL, 0}, {KMEM_ZONE_DMA32, __GFP_DMA32}, {KMEM_ZONE_DMA, __GFP_DMA}};
	bool any = false;

	for (unsigned int i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
		uint64_t last = zone_last(from[i].zone);

		if (!last)
			continue;
		any = true;
		if (last <= mask) {
			*zone = from[i].gfp;
			return true;
		}
	}
	return any && mask == ~0ull;
}

static uint64_t coherent_mask(const struct device *dev)
{
	return dev && dev->coherent_dma_mask ? dev->coherent_dma_mask : DMA_BIT_MASK(32);
}

u64 dma_get_mask(struct device *dev)
{
	return dev && dev->dma_mask && *dev->dma_mask ? *dev->dma_mask : DMA_BIT_MASK(32);
}

u64 dma_get_required_mask(struct device *dev)
{
	uint64_t last = 0;

	(void)dev;
	for (unsigned int i = 0; i < KMEM_NR_ZONES; i++)
		last = zone_last(i) > last ? zone_last(i) : last;
	for (unsigned int shift = 1; shift < 64; shift *= 2)
		last |= last >> shift;
	return last;
}

int dma_set_coherent_mask(struct device *dev, u64 mask)
{
	gfp_t zone;

	if (!zone_for(mask, &zone))
		return -EIO;
	dev->coherent_dma_mask = mask;
	return 0;
}

int dma_set_mask(struct device *dev, u64 mask)
{
	gfp_t zone;

	if (!zone_for(mask, &zone))
		return -EIO;
	if (!dev->dma_mask)
		dev->dma_mask = &dev->bus_dma_limit;
	*dev->dma_mask = mask;
	return 0;
}

void *dma_alloc_attrs(struct device *dev, size_t size, dma_addr_t *dma, gfp_t gfp,
		      unsigned long attrs)
{
	gfp_t zone = 0;
	void *p;

	(void)attrs;
	if (!size || !zone_for(coherent_mask(dev), &zone))
		return NULL;
	gfp &= ~(__GFP_DMA | __GFP_DMA32 | __GFP_HIGHMEM);
	p = alloc_pages_exact(size, gfp | zone | __GFP_ZERO);
	if (p)
		*dma = (dma_addr_t)virt_to_phys(p);
	return p;
}

void dma_free_attrs(struct device *dev, size_t size, void *p, dma_addr_t dma, unsigned long attrs)
{
	(void)dev;
	(void)dma;
	(void)attrs;
	if (p)
		free_pages_exact(p, size);
}

static dma_addr_t reachable(struct device *dev, uint64_t phys, size_t size)
{
	return phys + size - 1 <= dma_get_mask(dev) ? (dma_addr_t)phys : DMA_MAPPING_ERROR;
}

dma_addr_t dma_map_page_attrs(struct device *dev, struct page *page, size_t offset, size_t size,
			      enum dma_data_direction dir, unsigned long attrs)
{
	(void)dir;
	(void)attrs;
	return reachable(dev, ((uint64_t)page_to_pfn(page) << PAGE_SHIFT) + offset, size);
}

dma_addr_t dma_map_single_attrs(struct device *dev, void *p, size_t size,
				enum dma_data_direction dir, unsigned long attrs)
{
	(void)dir;
	(void)attrs;
	return virt_addr_valid(p) ? reachable(dev, virt_to_phys(p), size) : DMA_MAPPING_ERROR;
}

/* ---- Freed with the device ---------------------------------------------------------------------- */

struct managed {
	void *p;
	size_t size; /* of memory; 0: p is a pool */
};

static void managed_release(struct device *dev, void *res)
{
	struct managed *m = res;

	(void)dev;
	if (m->size)
		free_pages_exact(m->p, m->size);
	else
		dma_pool_destroy(m->p);
}

static int managed_match(struct device *dev, void *res, void *p)
{
	(void)dev;
	return ((struct managed *)res)->p == p;
}

static void *managed_add(struct device *dev, struct managed *m, void *p, size_t size)
{
	if (!p) {
		devres_free(m);
		return NULL;
	}
	*m = (struct managed){p, size};
	devres_add(dev, m);
	return p;
}

void *dmam_alloc_attrs(struct device *dev, size_t size, dma_addr_t *dma, gfp_t gfp,
		       unsigned long attrs)
{
	struct managed *m = devres_alloc(managed_release, sizeof(*m), gfp);

	return m ? managed_add(dev, m, dma_alloc_attrs(dev, size, dma, gfp, attrs), size) : NULL;
}

void dmam_free_coherent(struct device *dev, size_t size, void *p, dma_addr_t dma)
{
	(void)size;
	(void)dma;
	devres_release(dev, managed_release, managed_match, p);
}

struct dma_pool *dmam_pool_create(const char *name, struct device *dev, size_t size, size_t align,
				  size_t boundary)
{
	struct managed *m = devres_alloc(managed_release, sizeof(*m), GFP_KERNEL);

	return m ? managed_add(dev, m, dma_pool_create(name, dev, size, align, boundary), 0) : NULL;
}

void dmam_pool_destroy(struct dma_pool *pool, struct device *dev)
{
	devres_release(dev, managed_release, managed_match, pool);
}
