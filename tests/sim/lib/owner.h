/* SPDX-License-Identifier: MIT */
/*
 * The oracle of the random loads: an account, outside the machine, of who owns every eight bytes of
 * it, so that nothing is handed out twice and nobody writes into what is another's.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "sim.h"

enum { OWNER_MEM = 8 << 20, OWNER_GRAIN = 8 }; /* the largest machine; bytes of a grain */

enum thing_kind { NOTHING, KMALLOC, OBJECT, PAGES };

/* Something that was allocated. */
struct thing {
	enum thing_kind kind;
	unsigned char *p;
	size_t size; /* bytes that are the owner's; at least 4 */
	unsigned int cache, order;
	uint32_t id;
};

/* Of the host's memory: no part of the machine, and no point lies between two accesses. */
struct owners {
	uint32_t grain[OWNER_MEM / OWNER_GRAIN]; /* id of the thing each is part of, 0: free */
	unsigned char *low;			 /* where the machine's memory begins */
	uint32_t last_id;
};

/* t->p has just been allocated: gives it an id, and marks the memory as its own. */
void thing_born(struct owners *o, struct thing *t);
/* It is about to be freed: nobody else has written to it. */
void thing_dies(struct owners *o, const struct thing *t);
/* The thing that died lives on after all: a resize was refused. */
void thing_revived(struct owners *o, const struct thing *t);
