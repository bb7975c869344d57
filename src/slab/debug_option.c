/* SPDX-License-Identifier: MIT */
/*
 * slab_debug=[-FZPUTAO]*[,name[*],...][;...]	which caches are debugged, and how.
 *
 * A block without names is global, the last such block wins; the first block that names the cache
 * replaces it. '-' clears. Letters before a name list may be empty, which means FZPU. 'O' takes Z, P
 * and U from caches whose slabs would need a higher order for them.
 */
#include "slab/slab.h"

static const char *debug_text;

struct block {
	slab_flags_t flags;
	bool order_guard;
	const char *names, *end; /* names empty: global */
};

static slab_flags_t letter_flag(char ch)
{
	static const struct {
		char letter;
		slab_flags_t flag;
	} table[] = {
		{'F', SLAB_CONSISTENCY_CHECKS}, {'Z', SLAB_RED_ZONE}, {'P', SLAB_POISON},
		{'U', SLAB_STORE_USER},		{'T', SLAB_TRACE},    {'A', SLAB_FAILSLAB},
	};

	for (u32 i = 0; i < ARRAY_SIZE(table); i++) {
		if (table[i].letter == (ch & ~0x20))
			return table[i].flag;
	}
	return 0;
}

/* Reads one block; returns what follows it, or NULL at the end. */
static const char *block_read(const char *s, struct block *b, bool complain)
{
	const slab_flags_t all =
		SLAB_CONSISTENCY_CHECKS | SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER;
	bool any = false;

	b->flags = 0;
	b->order_guard = false;
	for (; *s && *s != ',' && *s != ';'; s++) {
		any = true;
		if (*s == '-')
			b->flags = 0;
		else if (*s == 'O' || *s == 'o')
			b->order_guard = true;
		else if (letter_flag(*s))
			b->flags |= letter_flag(*s);
		else if (complain)
			report(KMEM_LOG_ERR, "slab_debug option '%c' unknown. skipped", *s);
	}
	if (!any || (b->order_guard && !b->flags))
		b->flags = all;
	b->names = *s == ',' ? s + 1 : s;
	for (b->end = b->names; *b->end && *b->end != ';';)
		b->end++;
	return *b->end == ';' ? b->end + 1 : NULL;
}

static bool name_in(const char *name, const struct block *b)
{
	size_t len = str_len(name);

	for (const char *s = b->names; s < b->end;) {
		const char *e = s;
		size_t n;

		while (e < b->end && *e != ',')
			e++;
		n = (size_t)(e - s);
		if (n && s[n - 1] == '*' && len >= n - 1 && str_neq(name, s, n - 1))
			return true;
		if (n && n == len && str_neq(name, s, n))
			return true;
		s = e + 1;
	}
	return false;
}

int debug_setup(const char *text)
{
	struct block b;

	debug_text = text[0] ? text : NULL;
	for (const char *s = debug_text; s;)
		s = block_read(s, &b, true);
	return 0;
}

static u32 debug_room(slab_flags_t flags)
{
	u32 room = 0;

	if (flags & SLAB_LINK_FLAGS)
		room += (u32)sizeof(void *);
	if (flags & SLAB_RED_ZONE)
		room += 3 * (u32)sizeof(void *);
	if (flags & SLAB_STORE_USER)
		room += 2 * SLAB_TRACK_BYTES + 8;
	return room;
}

slab_flags_t debug_flags(const char *name, slab_flags_t flags, u32 size)
{
	const slab_flags_t large = SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER;
	struct block b, global = {.flags = 0};
	bool found = false;

	if (flags & SLAB_NO_USER_FLAGS)
		return flags;
	for (const char *s = debug_text; s && !found;) {
		s = block_read(s, &b, false);
		found = name_in(name, &b);
		if (found || b.names == b.end)
			global = b;
	}
	if (global.order_guard && get_order(size) != get_order(size + debug_room(global.flags)))
		global.flags &= ~large;
	if (kmem_machine.opt.hardened)
		global.flags |= SLAB_CONSISTENCY_CHECKS;
	return flags | global.flags;
}
