/* SPDX-License-Identifier: MIT */
/*
 * DPDK's mempool: a ring of objects made beforehand, and a cache of pointers of each lcore, the closest relative
 * of a sheaf. No malloc: it has one size, no end of memory but the pool's own, and asks nothing. The one thread is the
 * first lcore; without huge pages, for the others have none either.
 */
#ifndef BENCH_API_H
#define BENCH_API_H

#include <stdlib.h>
#include <rte_eal.h>
#include <rte_mempool.h>

enum { API_SIZES = 0, API_CONSTRUCTS = 0 };
enum { POOL_MOST = 1 << 17, POOL_BYTES = 64 << 20 };
static struct rte_mempool *api_pool;

static inline void api_start(void)
{
	static char *argv[] = {"bench", "--no-shconf",	  "--no-huge",	"--no-pci",
			       "-m256", "--no-telemetry", "--lcores=0", "--log-level=error",
			       NULL};

	if (rte_eal_init(sizeof(argv) / sizeof(argv[0]) - 1, argv) < 0)
		abort();
}

static inline void api_open(size_t size)
{
	static int started;
	unsigned int n = POOL_MOST - 1, cache = RTE_MEMPOOL_CACHE_MAX_SIZE;

	if (!started)
		api_start();
	started = 1;
	while ((size_t)n * size > POOL_BYTES)
		n /= 2;
	if (cache > n / 2)
		cache = n / 2;
	api_pool = rte_mempool_create("bench", n, (unsigned int)size, cache, 0, NULL, NULL, NULL,
				      NULL, SOCKET_ID_ANY, 0);
	if (!api_pool)
		abort();
}

static inline void api_close(void)
{
	rte_mempool_free(api_pool);
}

static inline void *api_alloc(size_t size)
{
	void *p = NULL;

	(void)size;
	return rte_mempool_get(api_pool, &p) == 0 ? p : NULL;
}

static inline void api_free(void *p)
{
	rte_mempool_put(api_pool, p);
}

static inline void api_alloc_bulk(size_t size, size_t n, void **p)
{
	(void)size;
	if (rte_mempool_get_bulk(api_pool, p, (unsigned int)n) != 0)
		abort();
}

static inline void api_free_bulk(size_t n, void **p)
{
	rte_mempool_put_bulk(api_pool, p, (unsigned int)n);
}

#endif
