/* SPDX-License-Identifier: MIT */
/* What kmem replay prints. kmem-replay(1) explains each line. */
#include "replay.h"
#include "cmd.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0.0;
}

/* How much more was given than asked for, in percent of what was asked for. */
static double above(uint64_t given, uint64_t asked)
{
	return asked ? 100.0 * ((double)given - (double)asked) / (double)asked : 0.0;
}

static void print_recording(const struct plan *p, const char *path, FILE *out)
{
	const struct trace *t = p->trace;

	fprintf(out, "recording  %s (%s, %s events, %.3f s, %u CPUs)\n", path, t->format,
		cmd_commas(t->nr), (double)(t->last_ns - t->first_ns) / 1e9, t->nr_cpus);
	for (int k = 0; k < TRACE_NR_KINDS; k++)
		fprintf(out, "  %-24s %12s\n", trace_kind_name[k], cmd_commas(p->events[k]));
	if (t->other)
		fprintf(out, "  %-24s %12s\n", "other lines or events", cmd_commas(t->other));
	fprintf(out, "  %-24s %12s\n", "not understood", cmd_commas(t->bad));
	if (t->bad)
		fprintf(out, "    the first: %s\n", t->first_bad);
	if (t->lost)
		fprintf(out, "  %-24s %12s\n", "lost while recording", cmd_commas(t->lost));
	if (t->gfp_unknown)
		fprintf(out, "  %-24s %12s\n", "with unknown GFP names",
			cmd_commas(t->gfp_unknown));
}

static void print_replay(const struct plan *p, const struct result *r, const char *cmdline,
			 FILE *out)
{
	double rate = r->seconds > 0 ? (double)p->nr / r->seconds / 1e6 : 0;

	fprintf(out, "\nreplay     %s level on a machine with %s\n", p->pages ? "page" : "slab",
		cmdline);
	fprintf(out, "  %-24s %12s in %.4f s: %.1f million a second\n", "operations",
		cmd_commas(p->nr), r->seconds, rate);
	fprintf(out, "  %-24s %12s, %.1f %% of them on another CPU\n", "frees",
		cmd_commas(p->frees), percent(p->cross_cpu, p->frees));
	fprintf(out, "  %-24s %12s\n", p->pages ? "pages freed unseen" : "objects freed unseen",
		cmd_commas(p->implicit));
	fprintf(out, "  %-24s %12s\n", "frees of older ones", cmd_commas(p->older));
	if (!p->pages)
		fprintf(out, "  %-24s %12s\n", "kfree(NULL)", cmd_commas(p->kfree_null));
	if (p->renamed)
		fprintf(out, "  %-24s %12s\n", "freed by another name", cmd_commas(p->renamed));
	if (p->split_blocks)
		fprintf(out, "  %-24s %12s\n", "blocks freed in pieces",
			cmd_commas(p->split_blocks));
	if (p->their_failures)
		fprintf(out, "  %-24s %12s\n", "failed in the recording",
			cmd_commas(p->their_failures));
}

static void print_failures(const struct plan *p, const struct result *r, FILE *out)
{
	fprintf(out, "\nrequests   by class %15s %12s\n", "made", "failed");
	for (int c = 0; c < CLASS_NR; c++) {
		if (p->class_nr[c])
			fprintf(out, "  %-24s %12s %12s\n", gfp_class_name[c],
				cmd_commas(p->class_nr[c]), cmd_commas(r->class_failed[c]));
	}
	for (int o = 0; p->pages && o < NR_PAGE_ORDERS; o++) {
		if (r->order_failed[o])
			fprintf(out, "  of order %-15d %12s %12s\n", o, "",
				cmd_commas(r->order_failed[o]));
	}
	if (r->gave_up)
		fprintf(out, "  %-24s %25s\n", "given up, may not fail", cmd_commas(r->gave_up));
}

static void print_reclaim(const struct result *r, FILE *out)
{
	if (!r->reclaimed)
		return;
	fprintf(out, "\nreclaim\n  %-24s %12s\n", "objects dropped",
		cmd_commas(r->dropped_objects));
	fprintf(out, "  %-24s %12s\n", "pages dropped", cmd_commas(r->dropped_pages));
	fprintf(out, "  %-24s %12s, which is expected\n", "frees of what is gone",
		cmd_commas(r->dropped_freed));
	fprintf(out, "  %-24s %12s, pages: %s\n", "runs of kswapd", cmd_commas(r->kswapd_runs),
		cmd_commas(r->by_kswapd));
	fprintf(out, "  %-24s %12s, pages: %s\n", "requests that reclaimed", cmd_commas(r->stalls),
		cmd_commas(r->by_requests));
	fprintf(out, "  %-24s %12s\n", "objects looked at", cmd_commas(r->slabs_scanned));
}

static void print_bytes_line(const char *what, uint64_t asked, uint64_t ours, uint64_t theirs,
			     FILE *out)
{
	fprintf(out, "  %-18s %14s %14s %7.2f %% %14s %7.2f %%\n", what, cmd_commas(asked),
		cmd_commas(ours), above(ours, asked), cmd_commas(theirs), above(theirs, asked));
}

static void print_bytes(const struct plan *p, const struct result *r, FILE *out)
{
	unsigned int k = p->trace->nr_caches;
	uint64_t asked = 0, ours = 0, theirs = 0;

	fprintf(out, "\n%-20s %14s %14s %9s %14s %9s\n", "bytes", "requested", "ours", "above",
		"theirs", "above");
	for (unsigned int i = 0; i < k; i++) {
		asked += p->cache[i].requested;
		ours += r->cache[i].bytes;
		theirs += p->cache[i].theirs;
	}
	print_bytes_line("kmalloc", p->cache[k].requested, r->cache[k].bytes, p->cache[k].theirs,
			 out);
	print_bytes_line("caches", asked, ours, theirs, out);
	print_bytes_line("all slab objects", asked + p->cache[k].requested,
			 ours + r->cache[k].bytes, theirs + p->cache[k].theirs, out);
	print_bytes_line("live at the peak", p->peak_requested, r->peak_bytes, p->peak_theirs, out);
	fprintf(out, "  %-18s %14s objects\n", "", cmd_commas(p->peak_objects));
}

/* Most allocations first; names that were only freed are left out. */
static const struct plan *sorted_plan;

static int by_allocs(const void *a, const void *b)
{
	const struct plan_cache *x = &sorted_plan->cache[*(const unsigned int *)a];
	const struct plan_cache *y = &sorted_plan->cache[*(const unsigned int *)b];

	if (x->allocs != y->allocs)
		return x->allocs < y->allocs ? 1 : -1;
	return *(const unsigned int *)a < *(const unsigned int *)b ? -1 : 1;
}

static void print_caches(const struct plan *p, const struct result *r, FILE *out)
{
	unsigned int n = p->trace->nr_caches + 1;
	unsigned int *order = cmd_grow(NULL, n, sizeof(*order));

	for (unsigned int i = 0; i < n; i++)
		order[i] = i;
	sorted_plan = p;
	qsort(order, n, sizeof(*order), by_allocs);
	fprintf(out, "\n%-24s %9s %8s %8s %7s %6s %6s %7s\n", "cache", "allocs", "live", "peak",
		"object", "ours", "theirs", "slabs");
	for (unsigned int i = 0; i < n; i++) {
		const struct plan_cache *c = &p->cache[order[i]];
		const struct result_cache *rc = &r->cache[order[i]];
		bool kmalloc = order[i] == p->trace->nr_caches;

		if (!c->allocs)
			continue;
		fprintf(out, "  %-22.22s %9" PRIu64 " %8" PRIu64 " %8" PRIu64,
			kmalloc ? "kmalloc" : p->trace->cache[order[i]].text, c->allocs, c->live,
			c->peak);
		if (kmalloc)
			fprintf(out, " %7s %6s %6s", "-", "-", "-");
		else
			fprintf(out, " %7u %6u %6u", c->object_size, rc->slot, c->their_slot);
		fprintf(out, " %7" PRIu64 "\n", rc->slabs);
	}
	free(order);
}

/* Caches whose objects take more here than they did in the recorded kernel. */
static unsigned int larger_slots(const struct plan *p, const struct result *r)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < p->trace->nr_caches; i++)
		n += p->cache[i].allocs && r->cache[i].slot > p->cache[i].their_slot;
	return n;
}

static bool print_findings(const struct plan *p, const struct result *r, FILE *out)
{
	unsigned int larger = p->pages ? 0 : larger_slots(p, r);
	bool any = larger || r->misuses || r->faults || r->leaks || r->undestroyed;

	fprintf(out, "\n%s\n", any ? "FINDINGS" : "no findings");
	if (larger)
		fprintf(out, "  %u caches have larger slots than in the recorded kernel\n", larger);
	if (r->misuses)
		fprintf(out, "  %" PRIu64 " operations were reported as misuse\n", r->misuses);
	if (r->faults)
		fprintf(out, "  %" PRIu64 " invariants do not hold\n", r->faults);
	if (r->undestroyed)
		fprintf(out, "  %" PRIu64 " caches could not be destroyed\n", r->undestroyed);
	if (r->leaks)
		fprintf(out, "  %" PRIu64 " objects or blocks were left when all had been freed\n",
			r->leaks);
	if (r->log_lines)
		fprintf(out, "  the library reported %" PRIu64 " lines, the first: %s\n",
			r->log_lines, r->first_log);
	return any;
}

bool replay_report(const struct plan *p, const struct result *r, const char *path,
		   const char *cmdline, FILE *out)
{
	print_recording(p, path, out);
	print_replay(p, r, cmdline, out);
	print_failures(p, r, out);
	print_reclaim(r, out);
	if (p->pages)
		fprintf(out, "\npages      at the peak %s (%s), live at the end %s\n",
			cmd_commas(p->peak_pages), cmd_bytes(p->peak_pages * PAGE_SIZE),
			cmd_commas(p->live_pages));
	else
		print_bytes(p, r, out);
	if (!p->pages)
		print_caches(p, r, out);
	fprintf(out, "\nthe machine when the recording ended\n%s", r->summary);
	return print_findings(p, r, out);
}
