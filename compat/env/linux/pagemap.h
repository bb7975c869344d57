/* SPDX-License-Identifier: MIT */
/* <linux/pagemap.h>: the mask that pages of a file are allocated with. Files' pages are <kmem/filecache.h>. */
#ifndef KMEM_ENV_PAGEMAP_H
#define KMEM_ENV_PAGEMAP_H
#define _LINUX_PAGEMAP_H

#include <linux/fs.h>
#include <linux/mm.h>

static inline gfp_t mapping_gfp_mask(const struct address_space *mapping)
{
	return mapping->gfp_mask;
}
static inline void mapping_set_gfp_mask(struct address_space *mapping, gfp_t mask)
{
	mapping->gfp_mask = mask;
}
/* What both allow. */
static inline gfp_t mapping_gfp_constraint(const struct address_space *mapping, gfp_t gfp)
{
	return mapping_gfp_mask(mapping) & gfp;
}

#endif
