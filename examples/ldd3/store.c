/* SPDX-License-Identifier: MIT */
/* The row of blocks, two tables deep. A hole reads as zeroes and takes no memory. */
#include "store.h"

#include <errno.h>
#include <string.h>

static void **place(struct store *s, off_t at)
{
	size_t nr = (size_t)at / s->block;

	if (nr / STORE_BLOCKS >= STORE_ROWS)
		return NULL;
	return s->row[nr / STORE_BLOCKS] ? &s->row[nr / STORE_BLOCKS][nr % STORE_BLOCKS] : NULL;
}

/* The place with a block in it; 0, or what was missing. */
static int fill(struct store *s, off_t at, void ***found)
{
	size_t row = (size_t)at / s->block / STORE_BLOCKS;

	if (row >= STORE_ROWS)
		return -ENOSPC;
	if (!s->row[row])
		s->row[row] = kcalloc(STORE_BLOCKS, sizeof(void *), GFP_KERNEL);
	*found = place(s, at);
	if (*found && !**found)
		**found = s->get();
	return *found && **found ? 0 : -ENOMEM;
}

/* How much of n lies in the block of at. */
static size_t part(const struct store *s, size_t n, off_t at)
{
	size_t room = s->block - (size_t)at % s->block;

	return n < room ? n : room;
}

ssize_t store_read(struct store *s, char *buf, size_t n, off_t at)
{
	size_t done = 0, k;

	if (at >= s->size)
		return 0;
	if ((off_t)n > s->size - at)
		n = (size_t)(s->size - at);
	for (; done < n; done += k, at += (off_t)k) {
		void **p = place(s, at);

		k = part(s, n - done, at);
		if (p && *p) {
			char *bytes = s->map(*p);

			memcpy(buf + done, bytes + (size_t)at % s->block, k);
			s->unmap(bytes);
		} else {
			memset(buf + done, 0, k);
		}
	}
	return (ssize_t)n;
}

/* A part that could be written counts; the error comes when none could. */
ssize_t store_write(struct store *s, const char *buf, size_t n, off_t at)
{
	size_t done = 0, k;

	for (; done < n; done += k, at += (off_t)k) {
		void **p;
		int err = fill(s, at, &p);
		char *bytes;

		if (err)
			return done ? (ssize_t)done : err;
		k = part(s, n - done, at);
		bytes = s->map(*p);
		memcpy(bytes + (size_t)at % s->block, buf + done, k);
		s->unmap(bytes);
		if (at + (off_t)k > s->size)
			s->size = at + (off_t)k;
	}
	return (ssize_t)n;
}

void store_trim(struct store *s)
{
	for (size_t i = 0; i < STORE_ROWS; i++) {
		for (size_t j = 0; s->row[i] && j < STORE_BLOCKS; j++) {
			if (s->row[i][j])
				s->put(s->row[i][j]);
		}
		kfree(s->row[i]);
		s->row[i] = NULL;
	}
	s->size = 0;
}
