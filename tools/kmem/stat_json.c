/* SPDX-License-Identifier: MIT */
/*
 * The statistics as JSON. Field names and units are interface: kmem-stat(1) lists them, and the
 * test suite compares. Pages are pages, bytes say so in their name, counts are plain.
 */
#include "stat.h"

#include <inttypes.h>
#include <string.h>

/* A string of another process: any byte may be in it, the terminator may not. */
static void put_string(FILE *out, const char *s, size_t max)
{
	size_t n = strnlen(s, max);

	fputc('"', out);
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c == '"' || c == '\\')
			fprintf(out, "\\%c", c);
		else if (c < ' ' || c >= 0x7f)
			fprintf(out, "\\u%04x", c);
		else
			fputc(c, out);
	}
	fputc('"', out);
}

static void put_number(FILE *out, const char *key, uint64_t n)
{
	fprintf(out, "\"%s\":%" PRIu64 ",", key, n);
}

/* free_blocks: by mobility type, the number of free blocks of each order from 0. */
static void put_free_blocks(FILE *out, const struct kmem_stat_zone *z)
{
	fputs("\"free_blocks\":{", out);
	for (unsigned int mt = 0; mt < KMEM_NR_MT; mt++) {
		fprintf(out, "%s\"%s\":[", mt ? "," : "", kmem_migratetype_name(mt));
		for (unsigned int order = 0; order < NR_PAGE_ORDERS; order++)
			fprintf(out, "%s%" PRIu64, order ? "," : "", z->nr_free[mt][order]);
		fputc(']', out);
	}
	fputs("}", out);
}

static void put_zone(FILE *out, const struct kmem_stat_zone *z)
{
	fputs("{\"name\":", out);
	put_string(out, z->name, sizeof(z->name));
	fputc(',', out);
	put_number(out, "start_pfn", z->start_pfn);
	put_number(out, "spanned", z->spanned);
	put_number(out, "present", z->present);
	put_number(out, "managed", z->managed);
	put_number(out, "free", z->free);
	put_number(out, "boost", z->boost);
	put_number(out, "min", z->min);
	put_number(out, "low", z->low);
	put_number(out, "high", z->high);
	put_number(out, "promo", z->promo);
	put_number(out, "reserved_highatomic", z->reserved_highatomic);
	fputs("\"protection\":[", out);
	for (unsigned int i = 0; i < KMEM_NR_ZONES; i++)
		fprintf(out, "%s%" PRIu64, i ? "," : "", z->protection[i]);
	fputs("],", out);
	put_free_blocks(out, z);
	fputc('}', out);
}

static void put_cache(FILE *out, const struct kmem_stat_cache *c)
{
	fputs("{\"name\":", out);
	put_string(out, c->name, sizeof(c->name));
	fputc(',', out);
	put_number(out, "object_size_bytes", c->object_size);
	put_number(out, "slot_size_bytes", c->size);
	put_number(out, "align_bytes", c->align);
	put_number(out, "flags", c->flags);
	put_number(out, "objects_per_slab", c->objs_per_slab);
	put_number(out, "pages_per_slab", c->pages_per_slab);
	put_number(out, "sheaf_capacity", c->sheaf_capacity);
	put_number(out, "slabs", c->nr_slabs);
	put_number(out, "partial_slabs", c->nr_partial);
	put_number(out, "objects", c->nr_objs);
	put_number(out, "free_objects", c->free_objs);
	put_number(out, "sheaf_objects", c->cached_objs);
	fprintf(out, "\"failures\":%" PRIu64 "}", c->alloc_fail);
}

static void put_events(FILE *out, const struct kmem_stat *st)
{
	fputs("\"events\":{", out);
	for (unsigned int ev = 0; ev < KMEM_NR_EVENTS; ev++)
		fprintf(out, "%s\"%s\":%" PRIu64, ev ? "," : "", kmem_event_name(ev),
			kmem_stat_events(st, (enum kmem_event)ev));
	fputc('}', out);
}

static void put_machine(FILE *out, const struct kmem_stat *st)
{
	fputs("\"schema\":1,\"cmdline\":", out);
	put_string(out, st->cmdline, sizeof(st->cmdline));
	fputc(',', out);
	put_number(out, "pid", st->pid);
	put_number(out, "boots", st->boots);
	put_number(out, "page_size_bytes", st->page_size);
	put_number(out, "cpus", st->nr_cpus);
	put_number(out, "total_pages", st->total_pages);
	put_number(out, "totalreserve_pages", st->totalreserve_pages);
	put_number(out, "min_free_kbytes", st->min_free_kbytes);
	put_number(out, "slab_reclaimable_pages", st->nr_slab_reclaimable);
	put_number(out, "slab_unreclaimable_pages", st->nr_slab_unreclaimable);
	put_number(out, "misuses", st->misuses);
}

void stat_print_json(const struct kmem_stat *st, FILE *out)
{
	const char *comma = "";

	fputc('{', out);
	put_machine(out, st);
	fputs("\"zones\":[", out);
	for (unsigned int i = 0; i < KMEM_NR_ZONES; i++) {
		if (!st->zone[i].populated)
			continue;
		fputs(comma, out);
		put_zone(out, &st->zone[i]);
		comma = ",";
	}
	fputs("],\"caches\":[", out);
	comma = "";
	for (unsigned int i = 0; i < KMEM_MAX_CACHES; i++) {
		if (!st->cache[i].name[0])
			continue;
		fputs(comma, out);
		put_cache(out, &st->cache[i]);
		comma = ",";
	}
	fputs("],", out);
	put_events(out, st);
	fputs("}\n", out);
}
