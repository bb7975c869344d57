/* SPDX-License-Identifier: MIT */
/*
 * The sizes of small blocks.
 *
 * kmalloc's classes are what kernel code expects, and waste a quarter on average: a database page of 4,368
 * bytes takes 8,192. malloc owes nobody a class, so it has a row of caches of its own:
 *
 *	up to 128	every 16 bytes
 *	up to 256	four to a doubling
 *	up to 2,048	eight to a doubling, or nearly: as many as fit into a page, or 8 or 16 KiB
 *	above		as many as fit into 16, 32 or 64 KiB
 *
 * so that above 64 bytes no block is a quarter larger than what was asked for, and no slab wastes more than
 * a sixteenth of itself, above 1 KiB no more than a 64th. 1,056 and 4,368 are for what many programs ask for,
 * a page of 1 or 4 KiB with a header. All are multiples of 16, and slots are packed from the start of a page, so every
 * block is aligned to 16. What wants more alignment goes to kmalloc, whose classes have it.
 *
 * Slabs. A slab whose blocks are freed in any order goes back when all of them are, and what has gone back
 * serves another class if that wants slabs as large. So above 1 KiB, where most of the bytes are, eight blocks make
 * a slab, and above 2 KiB four, if more of them do not waste less: of a mix of sizes, nine of ten freed, and others
 * allocated, 2.0 bytes are in slabs for each that lives, where slabs of twelve or more blocks keep 2.2.
 * Up to 1 KiB, where most of the blocks are, a slab has 32 KiB, up to 256 bytes 64: blocks that were allocated in a
 * row lie in a row, page after page, so that who walks them misses less of what the CPU knows of addresses.
 *
 * The caches are made by the first call that finds none, for as long as the process lives. Who comes
 * meanwhile, or is a handler inside the library, does not wait: kmalloc serves. A block's cache is known by
 * its page, so free is the same for all.
 */
#include "classes.h"
#include <stdio.h>

static const u16 class_size[] = {16,   32,   48,   64,	 80,   96,   112,  128,	 160,  192,
				 224,  256,  288,  336,	 368,  400,  448,  512,	 544,  576,
				 624,  672,  736,  816,	 896,  1024, 1056, 1168, 1248, 1360,
				 1488, 1632, 1808, 2048, 2176, 2336, 2720, 3264, 3632, 4096,
				 4368, 4672, 5040, 5456, 5952, 6544, 7280, 8192};
static struct kmem_cache *caches[MALLOC_SLOTS]; /* likewise */
struct port_stack *malloc_fast[MALLOC_SLOTS];
static struct kmem_cache storage[ARRAY_SIZE(class_size)];
static bool begun;

/* Blocks that make a slab. */
static u32 class_few(u32 size)
{
	if (size > 1024)
		return size > 2048 ? 4 : 8;
	return (u32)slab_thousandth(size > 256 ? 32 << 10 : 64 << 10) / size;
}

/* It serves what the class before does not. */
static void class_create(unsigned int i)
{
	const struct kmem_cache_args args = {.align = MALLOC_ALIGN};
	u32 first = i ? class_size[i - 1] / MALLOC_ALIGN : 0, end = class_size[i] / MALLOC_ALIGN;
	char name[KMEM_NAME_MAX];

	snprintf(name, sizeof(name), "malloc-%u", class_size[i]);
	storage[i].few = class_few(class_size[i]);
	if (cache_init(&storage[i], name, class_size[i], &args, SLAB_KMALLOC | SLAB_NO_MERGE,
		       true) ||
	    cache_enlist(&storage[i]))
		return;
	for (u32 slot = first; slot < end; slot++)
		atom_store_rel(&caches[slot], &storage[i]); /* pairs with malloc_cache_made() */
	cache_serve(&storage[i], &malloc_fast[first], end - first);
}

struct kmem_cache *malloc_cache_made(size_t size)
{
	bool no = false;

	if (!atom_load(&begun) && !port_in_section() && machine_ensure() &&
	    atom_cas(&begun, &no, true)) {
		for (unsigned int i = 0; i < ARRAY_SIZE(class_size); i++)
			class_create(i);
	}
	return atom_load_acq(&caches[(size - 1) / MALLOC_ALIGN]);
}
