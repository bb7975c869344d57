/* SPDX-License-Identifier: MIT */
#include <string.h>
#include "owner.h"

static void owner_set(struct owners *o, const struct thing *t, uint32_t from, uint32_t to)
{
	size_t first = (size_t)(t->p - o->low) / OWNER_GRAIN;
	size_t n = (t->size + OWNER_GRAIN - 1) / OWNER_GRAIN;

	if (t->p < o->low || first + n > OWNER_MEM / OWNER_GRAIN)
		sim_fail("%p + %zu is not the machine's memory", (void *)t->p, t->size);
	for (size_t i = first; i < first + n; i++) {
		if (o->grain[i] != from)
			sim_fail("%p: %zu bytes for thing %u overlap those of thing %u",
				 (void *)t->p, t->size, to ? to : from, o->grain[i]);
		o->grain[i] = to;
	}
}

/* The first and the last word say whose they are; nothing is smaller than both. */
static void stamp(const struct thing *t)
{
	memcpy(t->p, &t->id, sizeof(t->id));
	memcpy(t->p + t->size - sizeof(t->id), &t->id, sizeof(t->id));
}

static void stamp_check(const struct thing *t)
{
	if (memcmp(t->p, &t->id, sizeof(t->id)) != 0 ||
	    memcmp(t->p + t->size - sizeof(t->id), &t->id, sizeof(t->id)) != 0)
		sim_fail("thing %u at %p: somebody wrote into it", t->id, (void *)t->p);
}

void thing_born(struct owners *o, struct thing *t)
{
	t->id = ++o->last_id;
	sim_log("alloc %u kind %d %p %zu\n", t->id, t->kind, (void *)t->p, t->size);
	owner_set(o, t, 0, t->id);
	stamp(t);
}

void thing_dies(struct owners *o, const struct thing *t)
{
	sim_log("free %u %p\n", t->id, (void *)t->p);
	stamp_check(t);
	owner_set(o, t, t->id, 0);
}

void thing_revived(struct owners *o, const struct thing *t)
{
	owner_set(o, t, 0, t->id);
}
