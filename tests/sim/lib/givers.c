/* SPDX-License-Identifier: MIT */
#include <string.h>
#include "givers.h"
#include "gfp/gfp.h"

/* Rounds a request may make: more than it takes to the last resort and back. */
enum { ROUNDS_PATIENT = 17, ROUNDS_MAX = 40, ROUNDS_NOFAIL = 5000 };

static uint64_t below(uint64_t n)
{
	return sim_random() % n;
}

static unsigned int zone_of(const struct thing *t)
{
	return virt_to_page(t->p)->zone;
}

static void thing_free_pages(struct owners *o, const struct thing *t)
{
	thing_dies(o, t);
	__free_pages(virt_to_page(t->p), t->order);
}

/* ---- Requests under way ----------------------------------------------------------------------------- */

/* Pages that reclaim is sure to get: those of the honest one. */
static unsigned long sure_pages(const struct givers *g, unsigned int zone)
{
	return g->giver[GIVER_HONEST].per_zone[zone];
}

static void requests_note(struct givers *g)
{
	for (unsigned int i = 0; i < SIM_MAX_TASKS; i++) {
		struct request *r = &g->request[i];

		for (unsigned int z = 0; r->active && z < KMEM_NR_ZONES; z++) {
			if (sure_pages(g, z) < r->least[z])
				r->least[z] = sure_pages(g, z);
		}
	}
}

struct request *request_begin(struct givers *g, gfp_t gfp)
{
	struct request *r = &g->request[sim_task_nr()];

	*r = (struct request){.active = true, .gfp = gfp};
	for (unsigned int z = 0; z < KMEM_NR_ZONES; z++)
		r->least[z] = sure_pages(g, z);
	return r;
}

void request_end(struct request *r)
{
	r->active = false;
}

/* ---- Providers --------------------------------------------------------------------------------------- */

static struct giver *giver_of(struct kmem_provider *p)
{
	return (struct giver *)(void *)p;
}

static unsigned long giver_count(struct kmem_provider *p, int zone)
{
	struct giver *v = giver_of(p);
	unsigned long nr = v->per_zone[zone];

	if (!v->registered && !v->changing)
		sim_fail("giver %d is counted after it was unregistered", (int)v->kind);
	if (v->kind == GIVER_LIAR)
		return below(3) ? nr * 2 : nr / 2;
	return nr;
}

/* What is promised to a callback: the requester's mask, PF_MEMALLOC, task context. */
static void callback_check(const struct givers *g, gfp_t gfp)
{
	const struct request *r = &g->request[sim_task_nr()];
	unsigned int flags = kmem_task_flags();

	if (sim_in_handler())
		sim_fail("a handler's request asks anybody");
	if (!(flags & PF_MEMALLOC))
		sim_fail("a callback is called without PF_MEMALLOC");
	if (!(gfp & __GFP_DIRECT_RECLAIM))
		sim_fail("a callback is asked for a request that may not block");
	if (r->active && gfp & ~r->gfp & (__GFP_IO | __GFP_FS))
		sim_fail("a callback sees %#x for a request of %#x", gfp, r->gfp);
	if ((flags & PF_MEMALLOC_NOFS && gfp & __GFP_FS) ||
	    (flags & PF_MEMALLOC_NOIO && gfp & (__GFP_IO | __GFP_FS)))
		sim_fail("a callback sees %#x within the scope %#x", gfp, flags);
}

/* The oldest page of the zone, taken out. */
static bool giver_pop(struct giver *v, unsigned int zone, struct thing *out)
{
	for (unsigned int i = 0; i < v->nr; i++) {
		if (zone_of(&v->page[i]) != zone)
			continue;
		*out = v->page[i];
		memmove(&v->page[i], &v->page[i + 1], (v->nr - i - 1) * sizeof(*out));
		v->nr--;
		v->per_zone[zone]--;
		requests_note(v->all);
		return true;
	}
	return false;
}

/* What a callback allocates for itself comes out of the reserves. */
static void callback_allocates(struct givers *g)
{
	struct thing t = {.kind = KMALLOC, .size = 64 + (size_t)below(2000)};

	t.p = kmalloc(t.size, GFP_KERNEL | __GFP_NOWARN);
	if (!t.p)
		return;
	thing_born(g->owners, &t);
	thing_dies(g->owners, &t);
	kfree(t.p);
}

static unsigned long giver_reclaim(struct kmem_provider *p, int zone, unsigned long nr,
				   int priority, gfp_t gfp)
{
	struct giver *v = giver_of(p);
	unsigned long given = 0;
	struct thing t;

	(void)priority;
	callback_check(v->all, gfp);
	v->all->asked++;
	v->inside++;
	if (v->kind == GIVER_STORMY)
		callback_allocates(v->all);
	if (v->kind != GIVER_LIAR || gfp & __GFP_FS) {
		while (given < nr && giver_pop(v, (unsigned int)zone, &t)) {
			thing_free_pages(v->all->owners, &t);
			given++;
		}
	}
	if (!v->registered && !v->changing)
		sim_fail("giver %d was unregistered while a task was in it", (int)v->kind);
	v->inside--;
	v->all->given += given;
	return given;
}

bool giver_take(struct givers *g, enum giver_kind kind, const struct thing *t)
{
	struct giver *v = &g->giver[kind];

	if (v->nr == GIVER_PAGES || t->kind != PAGES || t->order)
		return false;
	v->page[v->nr++] = *t;
	v->per_zone[zone_of(t)]++;
	return true;
}

/* One task at a time; the others see that it is changing. */
void giver_storm(struct givers *g)
{
	struct giver *v = &g->giver[GIVER_STORMY];

	if (v->changing)
		return;
	v->changing = true;
	if (!v->registered) {
		if (kmem_provider_register(&v->p) != 0)
			sim_fail("the stormy provider is refused");
		v->registered = true;
	} else {
		kmem_provider_unregister(&v->p);
		if (v->inside)
			sim_fail("unregistered with %u tasks in the provider", v->inside);
		v->registered = false;
	}
	v->changing = false;
	g->storms++;
}

/* ---- Shrinkers ---------------------------------------------------------------------------------------- */

static struct larder *larder_of(struct shrinker *s)
{
	return s->private_data;
}

static unsigned long larder_count(struct shrinker *s, struct shrink_control *sc)
{
	struct larder *l = larder_of(s);

	callback_check(l->all, sc->gfp_mask);
	if (l->kind == LARDER_STORMY && below(3) == 0)
		return below(2) ? SHRINK_EMPTY : l->nr * 3 + 1;
	return l->nr;
}

static unsigned long larder_scan(struct shrinker *s, struct shrink_control *sc)
{
	struct larder *l = larder_of(s);
	unsigned long freed = 0;

	callback_check(l->all, sc->gfp_mask);
	if (l->kind == LARDER_STEADY && !(sc->gfp_mask & __GFP_FS))
		return SHRINK_STOP;
	l->inside++;
	if (l->kind == LARDER_STORMY)
		callback_allocates(l->all);
	while (freed < sc->nr_to_scan && l->nr) {
		struct thing t = l->object[0];

		memmove(&l->object[0], &l->object[1], --l->nr * sizeof(t));
		thing_dies(l->all->owners, &t);
		kfree(t.p);
		freed++;
	}
	if (l->s != s)
		sim_fail("shrinker %d was freed while a task was in it", (int)l->kind);
	l->all->scanned += sc->nr_to_scan;
	sc->nr_scanned = freed ? freed : sc->nr_to_scan;
	l->inside--;
	return l->kind == LARDER_STORMY && below(8) == 0 ? SHRINK_STOP : freed;
}

bool larder_take(struct givers *g, enum larder_kind kind, const struct thing *t)
{
	struct larder *l = &g->larder[kind];

	if (l->nr == LARDER_OBJECTS || t->kind != OBJECT)
		return false;
	l->object[l->nr++] = *t;
	return true;
}

static void larder_open(struct larder *l)
{
	struct shrinker *s = shrinker_alloc(0, "larder-%d", (int)l->kind);

	if (!s)
		return;
	s->count_objects = larder_count;
	s->scan_objects = larder_scan;
	s->private_data = l;
	s->seeks = (int)below(4);
	s->batch = 1 + (long)below(64);
	l->s = s;
	shrinker_register(s);
}

static void larder_close(struct larder *l)
{
	shrinker_free(l->s);
	if (l->inside)
		sim_fail("freed with %u tasks in the shrinker", l->inside);
	l->s = NULL;
}

/* One task at a time, as with providers. */
void larder_storm(struct givers *g)
{
	struct larder *l = &g->larder[LARDER_STORMY];

	if (l->changing)
		return;
	l->changing = true;
	if (l->s)
		larder_close(l);
	else
		larder_open(l);
	l->changing = false;
	g->storms++;
}

static void larders_start(struct givers *g)
{
	struct larder *l = &g->larder[LARDER_STEADY];

	for (unsigned int i = 0; i < NR_LARDERS; i++) {
		g->larder[i].all = g;
		g->larder[i].kind = (enum larder_kind)i;
	}
	l->own = (struct shrinker){.count_objects = larder_count,
				   .scan_objects = larder_scan,
				   .seeks = DEFAULT_SEEKS,
				   .private_data = l};
	l->s = &l->own;
	if (register_shrinker(l->s, "larder-steady") != 0)
		sim_fail("a shrinker is refused");
}

static void larder_empty(struct larder *l)
{
	while (l->nr) {
		thing_dies(l->all->owners, &l->object[--l->nr]);
		kfree(l->object[l->nr].p);
	}
	if (l->kind == LARDER_STEADY)
		unregister_shrinker(l->s);
	else
		shrinker_free(l->s);
	l->s = NULL;
}

/* ---- Out of memory ------------------------------------------------------------------------------------ */

bool sacrifice_take(struct givers *g, const struct thing *t)
{
	if (g->nr_sacrifices == SACRIFICES || t->kind != PAGES)
		return false;
	g->sacrifice[g->nr_sacrifices++] = *t;
	return true;
}

static enum kmem_oom_result on_oom(gfp_t gfp, unsigned int order, void *arg)
{
	struct givers *g = arg;
	enum kmem_oom_result result = KMEM_OOM_NONE;

	(void)order;
	if (g->in_oom++)
		sim_fail("two tasks are in the handler at once");
	if (sim_in_handler() || kmem_task_flags() & PF_MEMALLOC || !(gfp & __GFP_FS))
		sim_fail("the OOM handler is called with %#x, task flags %#x", gfp,
			 kmem_task_flags());
	g->ooms++;
	for (unsigned int n = 0; n < 8 && g->nr_sacrifices; n++) {
		struct thing t = g->sacrifice[--g->nr_sacrifices];

		thing_free_pages(g->owners, &t);
		result = KMEM_OOM_FREED;
	}
	if (result == KMEM_OOM_NONE && below(4) == 0)
		result = KMEM_OOM_RETRY;
	g->in_oom--;
	return result;
}

/* ---- The guard ---------------------------------------------------------------------------------------- */

/* What loops without end is ended, and the library must say so. What may not fail must get through in
 * time: somebody always frees in the end. */
static bool on_livelock(gfp_t gfp, unsigned int order, unsigned long rounds, void *arg)
{
	struct givers *g = arg;
	struct request *r = &g->request[sim_task_nr()];

	(void)order;
	if (gfp & __GFP_NOFAIL) {
		g->patient += rounds == ROUNDS_PATIENT;
		if (rounds > ROUNDS_NOFAIL)
			sim_fail("NOFAIL has made %lu rounds", rounds);
		return false;
	}
	if (rounds < ROUNDS_MAX)
		return false;
	r->stuck = true;
	g->stuck++;
	return true;
}

static void on_log(int level, const char *text, size_t len, void *arg)
{
	struct givers *g = arg;

	if (len > 15 && memcmp(text, "kmem: livelock:", 15) == 0)
		g->livelock_lines++;
	port_log(level, text, len);
}

/* ---- Beginning and end --------------------------------------------------------------------------------- */

void givers_start(struct givers *g, struct owners *o, bool oom)
{
	static const char *const names[NR_GIVERS] = {"honest", "stormy", "liar"};

	g->owners = o;
	for (unsigned int i = 0; i < NR_GIVERS; i++) {
		struct giver *v = &g->giver[i];

		v->p = (struct kmem_provider){
			.name = names[i], .count_pages = giver_count, .reclaim = giver_reclaim};
		v->all = g;
		v->kind = (enum giver_kind)i;
		if (kmem_provider_register(&v->p) != 0)
			sim_fail("a provider is refused");
		v->registered = true;
	}
	larders_start(g);
	kmem_set_livelock_guard(on_livelock, g);
	kmem_set_log(on_log, g);
	if (oom)
		kmem_set_oom_handler(on_oom, g);
}

void givers_empty(struct givers *g)
{
	struct thing t;

	for (unsigned int i = 0; i < NR_GIVERS; i++) {
		for (unsigned int z = 0; z < KMEM_NR_ZONES; z++) {
			while (giver_pop(&g->giver[i], z, &t))
				thing_free_pages(g->owners, &t);
		}
	}
	for (unsigned int i = 0; i < NR_LARDERS; i++)
		larder_empty(&g->larder[i]);
	while (g->nr_sacrifices)
		thing_free_pages(g->owners, &g->sacrifice[--g->nr_sacrifices]);
	if (g->stuck != g->livelock_lines)
		sim_fail("%llu requests were ended by the guard, %llu were reported",
			 (unsigned long long)g->stuck, (unsigned long long)g->livelock_lines);
}
