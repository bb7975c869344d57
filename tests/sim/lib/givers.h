/* SPDX-License-Identifier: MIT */
/*
 * Those who can give memory back when it is short, in the load of pressure.c: page providers and
 * shrinkers of several tempers, and an out-of-memory handler with pages to sacrifice. They check what the library
 * promises its callbacks; what they hold is the host's, so no point lies between two accesses to it.
 */
#pragma once
#include <kmem/kmem.h>
#include <kmem/shrinker.h>
#include <kmem/stat.h>
#include "owner.h"

enum { GIVER_PAGES = 48, LARDER_OBJECTS = 160, SACRIFICES = 24 };

enum giver_kind {
	GIVER_HONEST, /* gives what it counts; registered all the time */
	GIVER_STORMY, /* comes and goes while others are in it; allocates in its callback */
	GIVER_LIAR,   /* counts more or less than it has; needs FS */
	NR_GIVERS
};

struct giver {
	struct kmem_provider p; /* first */
	struct givers *all;
	enum giver_kind kind;
	struct thing page[GIVER_PAGES]; /* oldest first */
	unsigned int nr, per_zone[KMEM_NR_ZONES];
	bool registered, changing; /* changing: in a call that registers or unregisters */
	unsigned int inside;	   /* callbacks under way */
};

enum larder_kind {
	LARDER_STEADY, /* needs FS, else says SHRINK_STOP */
	LARDER_STORMY, /* made anew again and again; allocates in its callback, counts wrong */
	NR_LARDERS
};

/* A cache of objects with a shrinker. */
struct larder {
	struct shrinker *s, own; /* own: of the steady one */
	struct givers *all;
	enum larder_kind kind;
	struct thing object[LARDER_OBJECTS]; /* oldest first */
	unsigned int nr, inside;
	bool changing;
};

/* What a task is asking for, while it does. */
struct request {
	bool active;
	gfp_t gfp;
	bool stuck;			    /* the guard ended it */
	unsigned long least[KMEM_NR_ZONES]; /* fewest pages that were to be had meanwhile */
};

struct givers {
	struct owners *owners;
	struct giver giver[NR_GIVERS];
	struct larder larder[NR_LARDERS];
	struct thing sacrifice[SACRIFICES];
	unsigned int nr_sacrifices;
	struct request request[SIM_MAX_TASKS]; /* by task */
	unsigned int in_oom;
	uint64_t asked, given, scanned, ooms, storms, stuck, livelock_lines, patient;
};

void givers_start(struct givers *g, struct owners *o, bool oom);
/* The requests of the running task. */
struct request *request_begin(struct givers *g, gfp_t gfp);
void request_end(struct request *r);
/* Takes over one page; false: there is no room. */
bool giver_take(struct givers *g, enum giver_kind kind, const struct thing *t);
bool sacrifice_take(struct givers *g, const struct thing *t);
/* The same for an object. */
bool larder_take(struct givers *g, enum larder_kind kind, const struct thing *t);
/* Registers a stormy one, or unregisters it. */
void giver_storm(struct givers *g);
void larder_storm(struct givers *g);
/* All that is held goes back. Undisturbed. */
void givers_empty(struct givers *g);
