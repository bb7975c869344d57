/* SPDX-License-Identifier: MIT */
/*
 * A store in memory that fails as it is told: the n-th transfer, all from some one on, or some percent
 * of them. A write that fails leaves half of the old and half of the new, or garbage.
 */
#ifndef KMEM_TEST_STORE_H
#define KMEM_TEST_STORE_H

#include <stdlib.h>
#include <string.h>
#include <kmem/store.h>
#include <kmem/config.h>

struct mem_store {
	struct kmem_store s;
	unsigned char *bytes;
	unsigned int reads, writes, failures;
	unsigned int nth; /* transfers until one fails; 0: none */
	unsigned int percent;
	bool for_ever;	     /* and so do those that follow */
	int error;	     /* negative errno */
	void (*point)(void); /* called in the middle of each transfer */
	uint32_t (*random)(void);
};

/* kswapd is a thread; the settings above are for machines without it, or change while it sleeps. */
static inline void mem_store_add(unsigned int *count, unsigned int n)
{
	__atomic_fetch_add(count, n, __ATOMIC_RELAXED);
}

static inline unsigned int mem_store_count(const unsigned int *count)
{
	return __atomic_load_n(count, __ATOMIC_RELAXED);
}

static inline bool mem_store_fails(struct mem_store *m)
{
	bool fails = m->percent && m->random && m->random() % 100 < m->percent;

	if (m->nth && --m->nth == 0) {
		fails = true;
		m->nth = m->for_ever;
	}
	mem_store_add(&m->failures, fails);
	return fails;
}

static inline int mem_store_read(struct kmem_store *s, uint64_t pos, void *buf, size_t len)
{
	struct mem_store *m = (struct mem_store *)(void *)s;
	bool fails = mem_store_fails(m);

	mem_store_add(&m->reads, 1);
	if (pos + len > s->size)
		return -22;
	memcpy(buf, m->bytes + pos, len / 2);
	if (m->point)
		m->point();
	if (fails)
		return m->error;
	memcpy((char *)buf + len / 2, m->bytes + pos + len / 2, len - len / 2);
	return 0;
}

static inline int mem_store_write(struct kmem_store *s, uint64_t pos, const void *buf, size_t len)
{
	struct mem_store *m = (struct mem_store *)(void *)s;
	bool fails = mem_store_fails(m);

	mem_store_add(&m->writes, 1);
	if (pos + len > s->size)
		return -22;
	memcpy(m->bytes + pos, buf, len / 2);
	if (m->point)
		m->point();
	if (fails)
		return m->error;
	memcpy(m->bytes + pos + len / 2, (const char *)buf + len / 2, len - len / 2);
	return 0;
}

static inline void mem_store_over(struct mem_store *m, unsigned char *bytes, size_t size)
{
	memset(m, 0, sizeof(*m));
	m->s.name = "memory";
	m->s.size = size;
	m->s.read = mem_store_read;
	m->s.write = mem_store_write;
	m->bytes = bytes;
	memset(m->bytes, 0xee, size);
	m->error = -5;
}

static inline void mem_store_start(struct mem_store *m, size_t size)
{
	mem_store_over(m, malloc(size), size);
}

static inline void mem_store_stop(struct mem_store *m)
{
	free(m->bytes);
}

#endif
