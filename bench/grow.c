/* SPDX-License-Identifier: MIT */
/*
 * grow: some buffers become longer in turns, as those of a program that reads lines do: by a fixed step, or
 * by half of what they are. What is new is written to. The value is for one resize.
 * zeroed: a block of zeroes, read page by page, and freed.
 */
#include "harness.h"
#include "api.h"

enum { BUFFERS = 8, PAGE = 4096 };

struct growth {
	size_t first, step, last; /* step 0: by half */
	uint64_t resizes;
};

static size_t next_size(const struct growth *g, size_t size)
{
	return size + (g->step ? g->step : size / 2);
}

static void write_pages(char *p, size_t from, size_t to)
{
	for (size_t at = from; at < to; at += PAGE)
		p[at] = 1;
	p[to - 1] = 1;
}

static void grow_chunk(void *arg)
{
	struct growth *g = arg;
	char *buffer[BUFFERS];

	for (unsigned int i = 0; i < BUFFERS; i++)
		buffer[i] = need(api_alloc(g->first));
	for (size_t size = g->first; size < g->last;) {
		size_t more = next_size(g, size);

		for (unsigned int i = 0; i < BUFFERS; i++) {
			buffer[i] = need(api_resize(buffer[i], more));
			write_pages(buffer[i], size, more);
		}
		size = more;
	}
	for (unsigned int i = 0; i < BUFFERS; i++)
		api_free(buffer[i]);
}

WORKLOAD(grow)
{
	static const struct {
		const char *name;
		struct growth g;
	} cases[] = {
		{"16 to 4096 by 64", {.first = 16, .step = 64, .last = 4096}},
		{"16 to 1 MiB by half", {.first = 16, .last = 1 << 20}},
		{"64 KiB to 1 MiB by 16 KiB", {.first = 65536, .step = 16384, .last = 1 << 20}},
	};

	for (size_t k = 0; k < sizeof(cases) / sizeof(cases[0]); k++) {
		struct growth g = cases[k].g;

		for (size_t size = g.first; size < g.last; size = next_size(&g, size))
			g.resizes += BUFFERS;
		measure(cases[k].name, g.resizes, grow_chunk, &g);
	}
}

enum { ZEROED = 64 };

static void zeroed_chunk(void *arg)
{
	size_t size = *(size_t *)arg;

	for (unsigned int i = 0; i < ZEROED; i++) {
		char *p = need(api_zalloc(size));

		for (size_t at = 0; at < size; at += PAGE) {
			if (p[at])
				die("a byte is not zero");
		}
		p[size - 1] = 1;
		api_free(p);
	}
}

WORKLOAD(zeroed)
{
	for (size_t size = 64; size <= 1 << 20; size *= 4) {
		char name[32];

		snprintf(name, sizeof(name), "%zu", size);
		measure(name, ZEROED, zeroed_chunk, &size);
	}
}
