/* SPDX-License-Identifier: MIT */
/*
 * A space of addresses, counted in pages, and the areas in it: where is the lowest hole of n pages,
 * which area has page i?
 *
 * A treap: a search tree by where areas start, and a heap by random numbers, which is what keeps it
 * flat whatever the order of calls. Each node knows three things of its subtree: where the first area
 * starts, where the last one ends, and the widest hole between two of them.
 *
 *	         [40..50)  lo 0, hi 90, gap 20
 *	        /        \
 *	   [0..20)        [60..90)		holes: 20..40, 50..60
 *
 * Holes are not objects: they are what lies between two neighbours. So giving an area up needs no
 * memory, and holes beside it have merged by themselves.
 *
 * No lock here: the caller's. Cost: expected 2 ln n steps each, and as deep on the stack.
 */
#include "pool/pool.h"

static void pull(struct varea *t)
{
	const struct varea *l = t->left, *r = t->right;
	size_t below = l ? size_max(l->gap, t->start - l->hi) : 0;
	size_t above = r ? size_max(r->gap, r->lo - t->end) : 0;

	t->lo = l ? l->lo : t->start;
	t->hi = r ? r->hi : t->end;
	t->gap = size_max(below, above);
}

/* All of l lies below all of r. */
static struct varea *join(struct varea *l, struct varea *r)
{
	if (!l || !r)
		return l ? l : r;
	if (l->prio >= r->prio) {
		l->right = join(l->right, r);
		pull(l);
		return l;
	}
	r->left = join(l, r->left);
	pull(r);
	return r;
}

/* Those that start below the page, and the others. */
static void split(struct varea *t, size_t page, struct varea **l, struct varea **r)
{
	if (!t) {
		*l = NULL;
		*r = NULL;
		return;
	}
	if (t->start < page) {
		*l = t;
		split(t->right, page, &t->right, r);
	} else {
		*r = t;
		split(t->left, page, l, &t->left);
	}
	pull(t);
}

/* Start of the lowest hole that wide; SIZE_MAX: there is none. */
static size_t hole_find(const struct vspace *s, size_t pages)
{
	const struct varea *t = s->root;

	if (!t)
		return pages <= s->pages ? 0 : SIZE_MAX;
	if (t->lo >= pages)
		return 0;
	if (t->gap < pages)
		return s->pages - t->hi >= pages ? t->hi : SIZE_MAX;
	for (;;) {
		const struct varea *l = t->left, *r = t->right;

		if (l && l->gap >= pages)
			t = l;
		else if (l && t->start - l->hi >= pages)
			return l->hi;
		else if (r && r->lo - t->end >= pages)
			return t->end;
		else
			t = r;
		assert_debug(t);
	}
}

bool vspace_insert(struct vspace *s, struct varea *a, size_t pages)
{
	size_t start = hole_find(s, pages);
	struct varea *l, *r;

	assert_debug(pages > 0);
	if (start == SIZE_MAX)
		return false;
	a->start = start;
	a->end = start + pages;
	a->prio = (u32)port_random64();
	a->left = NULL;
	a->right = NULL;
	pull(a);
	split(s->root, start, &l, &r);
	s->root = join(join(l, a), r);
	return true;
}

void vspace_erase(struct vspace *s, struct varea *a)
{
	struct varea *l, *mid, *r;

	split(s->root, a->start, &l, &r);
	split(r, a->start + 1, &mid, &r);
	assert_always(mid == a && !a->left && !a->right);
	s->root = join(l, r);
}

struct varea *vspace_find(const struct vspace *s, size_t page)
{
	struct varea *t = s->root;

	while (t && (page < t->start || page >= t->end))
		t = page < t->start ? t->left : t->right;
	return t;
}

struct varea *vspace_next(const struct vspace *s, size_t page)
{
	struct varea *t = s->root, *best = NULL;

	while (t) {
		if (t->start >= page)
			best = t;
		t = t->start >= page ? t->left : t->right;
	}
	return best;
}

/* What a node says of its subtree, against what its children say. */
static int varea_check(const struct varea *t)
{
	struct varea copy = *t;
	int faults = 0;

	pull(&copy);
	assert_audit(t->start < t->end, "area %zu", t->start);
	assert_audit(copy.lo == t->lo && copy.hi == t->hi && copy.gap == t->gap, "area %zu",
		     t->start);
	assert_audit(!t->left || (t->left->hi <= t->start && t->left->prio <= t->prio), "area %zu",
		     t->start);
	assert_audit(!t->right || (t->right->lo >= t->end && t->right->prio <= t->prio), "area %zu",
		     t->start);
	return faults;
}

int vspace_check(const struct vspace *s)
{
	size_t end = 0;
	int faults = 0;

	for (const struct varea *a = vspace_next(s, 0); a; a = vspace_next(s, a->start + 1)) {
		faults += varea_check(a);
		assert_audit(a->start >= end, "area %zu begins before %zu", a->start, end);
		end = a->end;
	}
	assert_audit(end <= s->pages, "areas up to %zu of %zu", end, s->pages);
	return faults;
}
