/* SPDX-License-Identifier: MIT */
#include <kmem/mempool.h>
#include "misuse.h"

MISUSE("mem=16M slab_debug=P", KMEM_MISUSE_MEMPOOL_CORRUPT, "BUG: mempool element poison mismatch")
{
	mempool_t *pool = mempool_create_kmalloc_pool(3, 100);
	char *el = mempool_alloc_preallocated(pool);

	mempool_free(el, pool);
	el[70] = 'x';
	ok(mempool_check(pool) == 1, "the check sees it");
	is_ptr(mempool_alloc_preallocated(pool), el, "handed out all the same");
	is(log_count("at offset 70"), 1, "with the place");
	mempool_free(el, pool);
	is(mempool_check(pool), 0, "and sound again");
	mempool_destroy(pool);
}
