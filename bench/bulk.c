/* SPDX-License-Identifier: MIT */
/*
 * bulk: a few blocks of 64 bytes in one call, and freed in one, by an API that has such calls; one by one
 * by the others. The value is for one block.
 */
#include "harness.h"
#include "api.h"

enum { PAIRS = 20000, BULK_MAX = 64, BULK_SIZE = 64 };

static void bulk_chunk(void *arg)
{
	size_t n = *(size_t *)arg;
	void *p[BULK_MAX];

	for (size_t i = 0; i < PAIRS; i += n) {
		api_alloc_bulk(BULK_SIZE, n, p);
		keep(p);
		api_free_bulk(n, p);
	}
}

WORKLOAD(bulk)
{
	void *p[BULK_MAX];

	api_open(BULK_SIZE);
	for (size_t n = 16; n <= BULK_MAX; n *= 2) {
		char name[32];

		snprintf(name, sizeof(name), "%zu blocks", n);
		api_alloc_bulk(BULK_SIZE, n, p);
		for (size_t i = 0; i < n; i++)
			need(p[i]);
		api_free_bulk(n, p);
		measure(name, (PAIRS + n - 1) / n * n, bulk_chunk, &n);
	}
	api_close();
}
