/* SPDX-License-Identifier: MIT */
/*
 * scale: each thread for itself allocates 32 blocks of 64 bytes, writes to them and frees them, by 1,
 * 2, 4... threads at once. The value is for one block, of all threads: with twice the threads it is
 * half, if they do not disturb each other and each has a CPU.
 */
/*
 * scale: each thread for itself allocates 32 blocks of 64 bytes, writes to them and frees them, by 1, 2,
 * 4... threads at once. The value is nanoseconds of a thread for one block: it stays the same if the threads do
 * not disturb each other, up to the number of CPUs.
 */
#include "harness.h"
#include "api.h"

enum { SIZE = 64, BLOCKS = 32, TURNS = 16 };

static void scale_work(struct worker *w)
{
	void *p[BLOCKS];

	while (!worker_stop(w)) {
		for (unsigned int turn = 0; turn < TURNS; turn++) {
			for (unsigned int i = 0; i < BLOCKS; i++) {
				p[i] = need(api_alloc(SIZE));
				touch(p[i]);
			}
			for (unsigned int i = 0; i < BLOCKS; i++)
				api_free(p[i]);
		}
		worker_did(w, TURNS * BLOCKS);
	}
}

WORKLOAD(scale)
{
	unsigned int n = 1;

	api_open(SIZE);
	for (;;) {
		char name[32];

		snprintf(name, sizeof(name), "%u thread%s", n, n == 1 ? "" : "s");
		measure_team(name, n, scale_work, NULL);
		if (n == bench.threads)
			break;
		n = n * 2 < bench.threads ? n * 2 : bench.threads;
	}
	api_close();
}
