/* SPDX-License-Identifier: MIT */
/*
 * The load: threads that read and write blocks at random, and check every byte of what they get.
 *
 * A block of version 0 is zeroes. A later one is filled with words that depend on the seed, the
 * block's number and the version, and the version is kept here, outside the machine: so a block that
 * is torn, old, or another one's is found, wherever it comes from.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "blockcache.h"

enum { WORDS = PAGE_SIZE / sizeof(uint64_t), WRONG_SHOWN = 5 };

struct worker {
	pthread_t thread;
	struct load *load;
	uint64_t rand;
	unsigned long nr_pending;
	/* What was written since the last flush. */
	struct pending {
		uint64_t nr;
		uint32_t version;
	} * pending;
};

/* splitmix64 */
static uint64_t mix(uint64_t z)
{
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static uint64_t rand_next(uint64_t *state)
{
	return mix(*state += 0x9e3779b97f4a7c15u);
}

/* ---- Contents ------------------------------------------------------------------------------------ */

static uint64_t word_of(const struct load *l, uint64_t nr, uint32_t version, unsigned int i)
{
	return version ? mix(mix(l->seed + nr) + version) + i * 0x9e3779b97f4a7c15u : 0;
}

static void fill_version(const struct load *l, uint64_t nr, uint32_t version, uint64_t *words)
{
	uint64_t word = word_of(l, nr, version, 0);

	for (unsigned int i = 0; i < WORDS; i++, word += 0x9e3779b97f4a7c15u)
		words[i] = word;
}

/* Is each word that of a version from `from` to `to`? */
static bool is_version(const struct load *l, uint64_t nr, uint32_t from, uint32_t to,
		       const uint64_t *words)
{
	uint64_t newest = word_of(l, nr, to, 0), step = to ? 0x9e3779b97f4a7c15u : 0;

	for (unsigned int i = 0; i < WORDS; i++, newest += step) {
		uint32_t v = to;

		if (words[i] == newest)
			continue;
		while (v > from && words[i] != word_of(l, nr, v, i))
			v--;
		if (words[i] != word_of(l, nr, v, i))
			return false;
	}
	return true;
}

static void wrong(struct load *l, uint64_t nr, uint32_t version, const char *where)
{
	if (atomic_fetch_add(&l->nr_wrong, 1) < WRONG_SHOWN)
		fprintf(stderr, "blockcache: block %llu is not its version %u, %s\n",
			(unsigned long long)nr, version, where);
}

/* ---- The threads --------------------------------------------------------------------------------- */

/* What was pending is promised, if the flush says so. */
static void commit(struct worker *w)
{
	struct load *l = w->load;

	if (cache_flush(l->cache) == 0) {
		l->nr_commits++;
		for (unsigned long i = 0; i < w->nr_pending; i++) {
			_Atomic uint32_t *acked = &l->acked[w->pending[i].nr];
			uint32_t old = *acked, new = w->pending[i].version;

			while (old < new && !atomic_compare_exchange_weak(acked, &old, new))
				;
		}
	}
	w->nr_pending = 0;
}

/* Three of four go to a 32nd of the file, one of four is a write. */
static void one_access(struct worker *w)
{
	struct load *l = w->load;
	uint64_t r = rand_next(&w->rand), nr = rand_next(&w->rand);
	bool hot = (r & 3) != 0, write = (r >> 2 & 3) == 0;
	struct block *b;
	uint32_t version;
	void *data;

	nr %= hot ? l->nr_blocks / 32 + 1 : l->nr_blocks;
	if (cache_get(l->cache, nr, write, &b)) {
		l->nr_refused++;
		return;
	}
	data = kmap_local_page(b->page);
	version = l->version[nr];
	if (!is_version(l, nr, version, version, data))
		wrong(l, nr, version, "in the cache");
	if (write)
		fill_version(l, nr, l->version[nr] = ++version, data);
	kunmap_local(data);
	cache_put(l->cache, b, write);
	*(write ? &l->nr_writes : &l->nr_reads) += 1;
	if (!write)
		return;
	w->pending[w->nr_pending++] = (struct pending){.nr = nr, .version = version};
	if (w->nr_pending == l->commit_every)
		commit(w);
}

static void *work(void *arg)
{
	struct worker *w = arg;
	struct load *l = w->load;

	for (unsigned long op = 0; !l->stop && (!l->nr_ops || op < l->nr_ops); op++) {
		if (l->end_ns && now_ns() >= l->end_ns)
			break;
		one_access(w);
	}
	return NULL;
}

/* ---- Create, run, verify ------------------------------------------------------------------------- */

int load_create(struct load *l)
{
	l->version = calloc((size_t)l->nr_blocks, sizeof(*l->version));
	l->acked = calloc((size_t)l->nr_blocks, sizeof(*l->acked));
	if (l->version && l->acked)
		return 0;
	load_destroy(l);
	return -ENOMEM;
}

void load_destroy(struct load *l)
{
	free(l->version);
	free((void *)l->acked);
}

/* The calling thread is the first of them. */
int load_run(struct load *l)
{
	struct worker *workers = calloc(l->nr_threads, sizeof(*workers));
	unsigned int started = 0;
	int rc = workers ? 0 : ENOMEM;

	for (unsigned int i = 0; i < l->nr_threads && !rc; i++) {
		workers[i].load = l;
		workers[i].rand = mix(l->seed + i);
		workers[i].pending = calloc(l->commit_every, sizeof(struct pending));
		rc = workers[i].pending ? 0 : ENOMEM;
	}
	for (unsigned int i = 1; i < l->nr_threads && !rc; i++) {
		rc = pthread_create(&workers[i].thread, NULL, work, &workers[i]);
		started += rc == 0;
	}
	if (rc)
		l->stop = true;
	else
		work(&workers[0]);
	for (unsigned int i = 1; i <= started; i++)
		pthread_join(workers[i].thread, NULL);
	for (unsigned int i = 0; workers && i < l->nr_threads; i++)
		free(workers[i].pending);
	free(workers);
	return -rc;
}

void load_verify(struct load *l, struct io *io, bool flushed)
{
	uint64_t words[WORDS];

	io->fault.kind = FAULT_NONE;
	for (uint64_t nr = 0; nr < l->nr_blocks; nr++) {
		uint32_t version = l->version[nr];

		if (io_read(io, nr, words) ||
		    !is_version(l, nr, flushed ? version : l->acked[nr], version, words))
			wrong(l, nr, version, "in the file");
	}
}
