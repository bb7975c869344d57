/* SPDX-License-Identifier: MIT */
/*
 * The kernel's texts. Three kinds of proof: exact bytes of a snapshot made by hand; the running
 * kernel's own /proc files, read into a snapshot and written again, byte for byte; and the real
 * tools (slabtop, vmstat) reading ours.
 */
#include <ctype.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <kmem/kmem.h>
#include <kmem/stat.h>
#include "tap.h"

enum { TEXT_MAX = 1 << 20 };

static char text[TEXT_MAX], host[TEXT_MAX];
static struct kmem_stat made; /* a snapshot made by hand */

static bool boot(const char *line)
{
	int rc = kmem_boot(line);

	return is(rc, 0, "\"%s\": %s", line, kmem_boot_error());
}

static const char *own(const char *name)
{
	long n = kmem_read(name, text, sizeof(text));

	ok(n > 0 && n < TEXT_MAX, "%s: %ld", name, n);
	is(strlen(text), n, "%s", name);
	return text;
}

static const char *format(const char *name)
{
	long n = kmem_stat_text(&made, name, text, sizeof(text));

	ok(n > 0 && n < TEXT_MAX, "%s: %ld", name, n);
	return text;
}

/* Equal, or the first line that is not. */
static void same_text(const char *got, const char *want, const char *what)
{
	size_t line = 1, i = 0, start = 0;

	for (; got[i] && got[i] == want[i]; i++) {
		if (got[i] == '\n') {
			line++;
			start = i + 1;
		}
	}
	ok(got[i] == want[i], "%s line %zu:\n# got  \"%.*s\"\n# want \"%.*s\"", what, line,
	   (int)strcspn(got + start, "\n"), got + start, (int)strcspn(want + start, "\n"),
	   want + start);
}

static bool read_host(const char *path)
{
	int fd = open(path, O_RDONLY);
	size_t used = 0;
	ssize_t n;

	if (fd < 0)
		return false;
	while ((n = read(fd, host + used, sizeof(host) - 1 - used)) > 0)
		used += (size_t)n;
	host[used] = '\0';
	close(fd);
	return used > 0;
}

/* "name value" at the start of a line. */
static unsigned long long value_of(const char *from, const char *name)
{
	size_t n = strlen(name);

	for (const char *s = from; s; s = strchr(s, '\n')) {
		s += strspn(s, "\n ");
		if (strncmp(s, name, n) == 0 && s[n] == ' ')
			return strtoull(s + n, NULL, 10);
		if (!*s)
			break;
	}
	ok(false, "no line \"%s\"", name);
	return 0;
}

/* ---- A snapshot made by hand ---------------------------------------------------------------- */

static void make_cache(unsigned int slot, uint64_t seq, const char *name, uint32_t size,
		       uint32_t per_slab, uint32_t pages, uint64_t slabs, uint64_t free)
{
	struct kmem_stat_cache *c = &made.cache[slot];

	snprintf(c->name, sizeof(c->name), "%s", name);
	c->seq = seq;
	c->object_size = size - 1;
	c->size = size;
	c->objs_per_slab = per_slab;
	c->pages_per_slab = pages;
	c->nr_slabs = slabs;
	c->nr_objs = slabs * per_slab;
	c->free_objs = free;
}

static void make_zone(unsigned int z, uint64_t start, uint64_t pages)
{
	struct kmem_stat_zone *s = &made.zone[z];

	s->configured = 1;
	s->populated = pages > 0;
	s->start_pfn = start;
	s->spanned = s->present = s->managed = pages;
	s->min = 64;
	s->low = 80;
	s->high = 96;
	s->promo = 112;
	s->pcp_batch = 1;
	s->pcp_high_min = 20;
	s->pcp_high_max = 240;
	s->stat_threshold = 4;
}

static void make_stat(void)
{
	memset(&made, 0, sizeof(made));
	made.nr_cpus = 2;
	made.nr_slab_reclaimable = 5;
	made.nr_slab_unreclaimable = 7;
	make_zone(KMEM_ZONE_DMA, 0, 4096);
	make_zone(KMEM_ZONE_NORMAL, 4096, 12288);
	make_zone(KMEM_ZONE_HIGHMEM, 0, 0);
	made.zone[KMEM_ZONE_DMA].protection[KMEM_ZONE_NORMAL] = 48;
	made.zone[KMEM_ZONE_DMA].protection[KMEM_ZONE_HIGHMEM] = 48;
	made.zone[KMEM_ZONE_DMA].free = 3 + 1024;
	made.zone[KMEM_ZONE_DMA].nr_free[KMEM_MT_UNMOVABLE][0] = 1;
	made.zone[KMEM_ZONE_DMA].nr_free[KMEM_MT_MOVABLE][1] = 1;
	made.zone[KMEM_ZONE_DMA].nr_free[KMEM_MT_MOVABLE][10] = 1;
	made.zone[KMEM_ZONE_DMA].nr_blocks[KMEM_MT_UNMOVABLE] = 3;
	made.zone[KMEM_ZONE_DMA].nr_blocks[KMEM_MT_MOVABLE] = 5;
	made.zone[KMEM_ZONE_NORMAL].free = 1234567;
	made.zone[KMEM_ZONE_NORMAL].nr_free[KMEM_MT_RECLAIMABLE][0] = 1234567;
	made.cpu[0].event[KMEM_EV_pgalloc_dma] = 10;
	made.cpu[1].event[KMEM_EV_pgalloc_dma] = 5;
	made.cpu[1].event[KMEM_EV_pgfree] = 3;
	made.cpu[1].pcp_count[KMEM_ZONE_DMA] = 9;
}

static const char slabinfo_head[] =
	"slabinfo - version: 2.1\n"
	"# name            <active_objs> <num_objs> <objsize> <objperslab> <pagesperslab> : "
	"tunables "
	"<limit> <batchcount> <sharedfactor> : slabdata <active_slabs> <num_slabs> <sharedavail>\n";

TEST(S191_slabinfo_bytes)
{
	char want[2000];

	make_stat();
	same_text(format("slabinfo"), slabinfo_head, "no caches");
	make_cache(0, 1, "kmalloc-8", 8, 512, 1, 3, 36);
	make_cache(5, 3, "a_name_that_is_long_indeed", 104, 39, 1, 0, 0);
	make_cache(9, 2, "dentry", 192, 21, 1, 1234567, 1);
	snprintf(want, sizeof(want), "%s%s", slabinfo_head,
		 "a_name_that_is_long_indeed      0      0    104   39    1 : tunables    0    0   "
		 " 0 "
		 ": slabdata      0      0      0\n"
		 "dentry            25925906 25925907    192   21    1 : tunables    0    0    0 : "
		 "slabdata 1234567 1234567      0\n"
		 "kmalloc-8           1500   1536      8  512    1 : tunables    0    0    0 : "
		 "slabdata "
		 "     3      3      0\n");
	same_text(format("slabinfo"), want, "slabinfo");
}

TEST(S192_buddyinfo_bytes)
{
	make_stat();
	same_text(format("buddyinfo"),
		  "Node 0, zone      DMA      1      1      0      0      0      0      0      0   "
		  "   0 "
		  "     0      1 \n"
		  "Node 0, zone   Normal 1234567      0      0      0      0      0      0      0  "
		  "    0 "
		  "     0      0 \n",
		  "buddyinfo");
}

TEST(S192_pagetypeinfo_bytes)
{
	static const char zeroes[] =
		"     0      0      0      0      0      0      0      0      0      0      0 \n";
	char want[4000];

	make_stat();
	snprintf(want, sizeof(want),
		 "Page block order: 9\n"
		 "Pages per block:  512\n"
		 "\n"
		 "Free pages count per migrate type at order       0      1      2      3      4   "
		 "   5 "
		 "     6      7      8      9     10 \n"
		 "Node    0, zone      DMA, type    Unmovable      1      0      0      0      0   "
		 "   0 "
		 "     0      0      0      0      0 \n"
		 "Node    0, zone      DMA, type      Movable      0      1      0      0      0   "
		 "   0 "
		 "     0      0      0      0      1 \n"
		 "Node    0, zone      DMA, type  Reclaimable %s"
		 "Node    0, zone      DMA, type   HighAtomic %s"
		 "Node    0, zone      DMA, type      Isolate %s"
		 "Node    0, zone   Normal, type    Unmovable %s"
		 "Node    0, zone   Normal, type      Movable %s"
		 "Node    0, zone   Normal, type  Reclaimable >100000 %s"
		 "Node    0, zone   Normal, type   HighAtomic %s"
		 "Node    0, zone   Normal, type      Isolate %s"
		 "\n"
		 "Number of blocks type     Unmovable      Movable  Reclaimable   HighAtomic      "
		 "Isolate \n"
		 "Node 0, zone      DMA            3            5            0            0        "
		 "    "
		 "0 \n"
		 "Node 0, zone   Normal            0            0            0            0        "
		 "    "
		 "0 \n",
		 zeroes, zeroes, zeroes, zeroes, zeroes, zeroes + 7, zeroes, zeroes);
	same_text(format("pagetypeinfo"), want, "pagetypeinfo");
}

TEST(S193_zoneinfo_bytes)
{
	static const char *const want[] = {
		"Node 0, zone      DMA\n  per-node stats\n      nr_inactive_anon 0\n",
		"\n      nr_slab_reclaimable 5\n      nr_slab_unreclaimable 7\n      "
		"nr_isolated_anon 0",
		"\n      nr_mapped    0\n",
		"\n  pages free     1027\n        boost    0\n        min      64\n        low     "
		" 80\n"
		"        high     96\n        promo    112\n        spanned  4096\n"
		"        present  4096\n        managed  4096\n        cma      0\n"
		"        protection: (0, 48, 48)\n      nr_free_pages 1027\n"
		"      nr_free_pages_blocks 1024\n",
		"\n      nr_mlock     0\n",
		"\n      numa_hit     15\n      numa_miss    0\n",
		"\n      numa_other   0\n  pagesets\n    cpu: 0\n              count:    0\n"
		"              high:     20\n              batch:    1\n              high_min: "
		"20\n"
		"              high_max: 240\n  vm stats threshold: 4\n    cpu: 1\n"
		"              count:    9\n",
		"\n  vm stats threshold: 4\n  node_unreclaimable:  0\n  start_pfn:           0\n"
		"Node 0, zone   Normal\n  pages free     1234567\n",
		"\n  start_pfn:           4096\n"
		"Node 0, zone  HighMem\n  pages free     0\n        boost    0\n        min      "
		"64\n"
		"        low      80\n        high     96\n        promo    112\n        spanned  "
		"0\n"
		"        present  0\n        managed  0\n        cma      0\n"
		"        protection: (0, 0, 0)\n",
	};
	const char *s;

	make_stat();
	s = format("zoneinfo");
	for (size_t i = 0; i < sizeof(want) / sizeof(want[0]); i++) {
		const char *at = strstr(s, want[i]);

		if (ok(at != NULL, "zoneinfo lacks, after what was found: %s", want[i]))
			s = at + strlen(want[i]) - 1;
	}
	is(s[1], '\0', "and that is the end");
	ok(!strstr(text, "DMA32") && !strstr(text, "Movable"), "zones of another machine");
}

TEST(S193_per_node_stats_stand_under_the_first_populated_zone)
{
	const char *normal;

	make_stat();
	make_zone(KMEM_ZONE_DMA, 0, 0);
	normal = strstr(format("zoneinfo"), "Node 0, zone   Normal\n  per-node stats\n");
	ok(normal != NULL);
	is_ptr(strstr(text, "per-node stats"), normal ? strstr(normal, "per-node") : NULL);
}

TEST(S197_vmstat_bytes)
{
	const char *s;

	make_stat();
	s = format("vmstat");
	ok(strncmp(s, "nr_free_pages 1235594\nnr_free_pages_blocks 1024\n", 46) == 0, "%.60s", s);
	is(value_of(s, "nr_slab_reclaimable"), 5);
	is(value_of(s, "nr_slab_unreclaimable"), 7);
	is(value_of(s, "pgalloc_dma"), 15);
	is(value_of(s, "pgfree"), 3);
	ok(strstr(s, "nr_slab_reclaimable") < strstr(s, "\npgalloc_dma "), "events come last");
	for (unsigned int ev = 0; ev < KMEM_NR_EVENTS; ev++)
		value_of(s, kmem_event_name(ev));
	is_ptr(kmem_event_name(KMEM_NR_EVENTS), NULL);
	is_str(kmem_event_name(KMEM_EV_oom_kill), "oom_kill");
}

TEST(lengths_are_those_of_snprintf)
{
	static const char *const names[] = {"slabinfo", "buddyinfo", "zoneinfo", "vmstat",
					    "pagetypeinfo"};
	static char part[TEXT_MAX];

	make_stat();
	make_cache(0, 1, "c", 8, 512, 1, 3, 36);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		long n = kmem_stat_text(&made, names[i], text, sizeof(text));

		is(kmem_stat_text(&made, names[i], NULL, 0), n, "%s", names[i]);
		for (size_t len = 1; len < 200; len += 7) {
			memset(part, '#', 256);
			is(kmem_stat_text(&made, names[i], part, len), n, "%s", names[i]);
			is(strlen(part), len - 1, "%s", names[i]);
			ok(memcmp(part, text, len - 1) == 0, "%s: %zu bytes", names[i], len);
			is(part[len], '#', "%s: behind %zu bytes", names[i], len);
		}
		is(kmem_stat_text(&made, names[i], part, (size_t)n + 1), n);
		is_str(part, text, "%s", names[i]);
	}
	is(kmem_stat_text(&made, "meminfo", text, sizeof(text)), -2);
	is(kmem_stat_text(&made, "", text, sizeof(text)), -2);
	is(kmem_read("slabinfo", text, sizeof(text)), -2, "no machine");
}

/* Another process's statistics may hold anything. */
TEST(a_wild_snapshot_is_formatted_all_the_same)
{
	static const char *const names[] = {"slabinfo", "buddyinfo", "zoneinfo", "vmstat",
					    "pagetypeinfo"};

	for (int round = 0; round < 4; round++) {
		for (size_t i = 0; i < sizeof(made) / 8; i++)
			((uint64_t *)(void *)&made)[i] = round ? tap_rand() : UINT64_MAX;
		for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
			ok(kmem_stat_text(&made, names[i], text, sizeof(text)) > 0, "%s", names[i]);
	}
}

/* ---- The running kernel's files, read and written again ------------------------------------- */

TEST(S191_the_kernels_own_slabinfo_comes_out_the_same)
{
	unsigned int nr = 0;
	char *save = NULL;
	static char want[TEXT_MAX];

	if (!read_host("/proc/slabinfo"))
		skip_loudly("/proc/slabinfo cannot be read");
	memcpy(want, host, sizeof(want));
	memset(&made, 0, sizeof(made));
	strtok_r(host, "\n", &save);
	strtok_r(NULL, "\n", &save);
	for (char *l = strtok_r(NULL, "\n", &save); l; l = strtok_r(NULL, "\n", &save), nr++) {
		char name[128];
		unsigned long active, objs, slabs;
		unsigned int size, per_slab, pages;

		if (nr == KMEM_MAX_CACHES ||
		    sscanf(l, "%127s %lu %lu %u %u %u : tunables %*d %*d %*d : slabdata %*u %lu",
			   name, &active, &objs, &size, &per_slab, &pages, &slabs) != 7 ||
		    strlen(name) >= KMEM_NAME_MAX)
			skip_loudly("this kernel's slabinfo has more than fits");
		make_cache(nr, KMEM_MAX_CACHES - nr, name, size, per_slab, pages, slabs,
			   objs - active);
		made.cache[nr].nr_objs = objs;
	}
	ok(nr > 20, "%u caches", nr);
	same_text(format("slabinfo"), want, "slabinfo");
}

TEST(S192_the_kernels_own_buddyinfo_comes_out_the_same)
{
	static char want[TEXT_MAX];
	char *save = NULL;

	if (!read_host("/proc/buddyinfo") || strstr(host, "Node 1,"))
		skip_loudly("no /proc/buddyinfo, or more than one node");
	memcpy(want, host, sizeof(want));
	memset(&made, 0, sizeof(made));
	for (char *l = strtok_r(host, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		char name[16];
		unsigned int z = 0;
		int used = 0;

		is(sscanf(l, "Node 0, zone %15s%n", name, &used), 1, "%s", l);
		while (kmem_zone_name(z) && strcmp(kmem_zone_name(z), name) != 0)
			z++;
		if (!kmem_zone_name(z))
			skip_loudly("a zone that this library does not have");
		made.zone[z].populated = 1;
		for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++) {
			char *end;

			made.zone[z].nr_free[o % KMEM_NR_MT][o] = strtoul(l + used, &end, 10);
			used = (int)(end - l);
		}
	}
	same_text(format("buddyinfo"), want, "buddyinfo");
}

/* Lines of counters of this kernel that we print too have the same form and order. */
static void counters_in_order(const char *ours, const char *theirs, const char *what)
{
	unsigned int both = 0;
	size_t last = 0;

	for (const char *l = ours; *l; l += strcspn(l, "\n") + 1) {
		char name[80];
		const char *at;

		snprintf(name, sizeof(name), "\n%.*s ", (int)strcspn(l, " "), l);
		at = strstr(theirs, name);
		if (!at)
			continue;
		both++;
		ok((size_t)(at - theirs) >= last, "%s: %s is out of order", what, name + 1);
		last = (size_t)(at - theirs);
	}
	ok(both > 50, "%s: %u lines in common", what, both);
}

TEST(S197_vmstat_has_the_kernels_names)
{
	if (!read_host("/proc/vmstat") || !strstr(host, "\npgalloc_normal "))
		skip_loudly("/proc/vmstat cannot be read");
	make_stat();
	memmove(host + 1, host, strlen(host) + 1);
	host[0] = '\n';
	format("vmstat");
	/* Zone counters and node counters; the order of events differs from release to release. */
	*strstr(text, "pgalloc_dma") = '\0';
	counters_in_order(text, host, "vmstat");
}

/* ---- The real tools ------------------------------------------------------------------------- */

static char tool_out[TEXT_MAX];

/* Runs the command where our texts lie over the kernel's files. False: not permitted here. */
static bool run_over(const char *command)
{
	char dir[] = "/tmp/kmem-texts-XXXXXX", path[64], line[512];
	static const char *const names[] = {"slabinfo", "vmstat"};
	size_t used = 0, n;
	FILE *f;

	if (!mkdtemp(dir))
		return false;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		f = fopen(path, "w");
		if (f) {
			fputs(own(names[i]), f);
			fclose(f);
		}
	}
	snprintf(line, sizeof(line),
		 "unshare -m sh -c 'mount --bind %s/slabinfo /proc/slabinfo && mount --bind "
		 "%s/vmstat "
		 "/proc/vmstat && echo MOUNTED && LC_ALL=C %s' 2>&1; rm -r %s",
		 dir, dir, command, dir);
	f = popen(line, "r");
	while (f && (n = fread(tool_out + used, 1, sizeof(tool_out) - 1 - used, f)) > 0)
		used += n;
	tool_out[used] = '\0';
	if (f)
		pclose(f);
	return strstr(tool_out, "MOUNTED") != NULL;
}

/* procps' own scan of a row. */
static bool procps_row(const char *line, char *name, unsigned long *active, unsigned long *objs,
		       unsigned long *size, unsigned int *per_slab)
{
	int pages, active_slabs, slabs;

	return sscanf(line, "%127s %lu %lu %lu %u %d : tunables %*d %*d %*d : slabdata %d %d %*d",
		      name, active, objs, size, per_slab, &pages, &active_slabs, &slabs) == 8 &&
	       pages > 0 && active_slabs == slabs && (unsigned long)slabs * *per_slab == *objs &&
	       *active <= *objs;
}

TEST(S191_slabinfo_of_a_live_machine)
{
	struct kmem_cache *c;
	unsigned int rows = 0, per_slab, kmalloc_rows = 0;
	unsigned long active, objs, size;
	char name[128], *save = NULL;
	int major, minor;
	void *p;

	if (!boot("mem=64M"))
		return;
	c = kmem_cache_create("S191_probe", 100, 0, SLAB_NO_MERGE, NULL);
	p = kmem_cache_alloc(c, GFP_KERNEL);
	ok(p != NULL);
	own("slabinfo");
	is(sscanf(text, "slabinfo - version: %d.%d", &major, &minor), 2);
	is(major * 100 + minor, 201);
	strtok_r(text, "\n", &save);
	strtok_r(NULL, "\n", &save);
	for (char *l = strtok_r(NULL, "\n", &save); l; l = strtok_r(NULL, "\n", &save), rows++) {
		if (!ok(procps_row(l, name, &active, &objs, &size, &per_slab), "%s", l))
			continue;
		kmalloc_rows += strncmp(name, "kmalloc-", 8) == 0;
		if (rows > 0)
			continue;
		is_str(name, "S191_probe", "the newest cache comes first");
		is(size, 104, "the slot, not the object");
		is(per_slab, 4096 / 104);
		ok(active >= 1 && objs >= per_slab, "%lu of %lu", active, objs);
	}
	ok(kmalloc_rows >= 10, "%u kmalloc caches", kmalloc_rows);
	kmem_cache_free(c, p);
	is(kmem_cache_destroy(c), 0);
	is(kmem_shutdown(), 0);
}

TEST(S191_slabtop_reads_ours)
{
	struct kmem_cache *c;
	const char *row;
	void *objs[100];

	if (!boot("mem=64M"))
		return;
	c = kmem_cache_create("S191_slabtop", 1000, 0, SLAB_NO_MERGE, NULL);
	for (size_t i = 0; i < 100; i++)
		objs[i] = kmem_cache_alloc(c, GFP_KERNEL);
	if (access("/usr/bin/slabtop", X_OK) != 0)
		skip_loudly("no slabtop on this host");
	if (!run_over("slabtop -o -s c"))
		skip_loudly("no private mounts here, so slabtop cannot be shown our slabinfo");
	ok(strstr(tool_out, "Active / Total Objects"), "%.200s", tool_out);
	row = strstr(tool_out, "S191_slabtop");
	if (ok(row != NULL, "%.2000s", tool_out)) {
		unsigned int total, active, per_slab;
		float kib;

		while (row > tool_out && row[-1] != '\n')
			row--;
		is(sscanf(row, "%u %u %*u%% %fK %*u %u", &total, &active, &kib, &per_slab), 4,
		   "%.80s", row);
		ok(active >= 100 && total >= active, "%u of %u", active, total);
		ok(kib > 0.97f && kib < 1.03f, "%.80s", row);
		is(per_slab, 16, "geometry of 6.3, at least for 1000-byte objects");
	}
	for (size_t i = 0; i < 100; i++)
		kmem_cache_free(c, objs[i]);
	is(kmem_cache_destroy(c), 0);
	is(kmem_shutdown(), 0);
}

TEST(S191_vmstat_reads_ours)
{
	if (!boot("mem=64M"))
		return;
	if (access("/usr/bin/vmstat", X_OK) != 0)
		skip_loudly("no vmstat on this host");
	if (!run_over("vmstat -m"))
		skip_loudly("no private mounts here, so vmstat cannot be shown our slabinfo");
	ok(strstr(tool_out, "kmalloc-128"), "%.400s", tool_out);
	ok(run_over("vmstat -s"));
	ok(strstr(tool_out, "pages swapped out"), "%.400s", tool_out);
	is(kmem_shutdown(), 0);
}

/* ---- A live machine --------------------------------------------------------------------------- */

TEST(S192_buddyinfo_sums_to_the_free_pages)
{
	struct page *held[64];
	unsigned int zones = 0;
	char *save = NULL;

	if (!boot("mem=64M zones=i386"))
		return;
	for (unsigned int i = 0; i < 64; i++)
		held[i] = alloc_pages(GFP_KERNEL, tap_below(8));
	for (unsigned int i = 0; i < 64; i += 2) {
		put_page(held[i]);
		held[i] = NULL;
	}
	kmem_drain();
	own("buddyinfo");
	for (char *l = strtok_r(text, "\n", &save); l; l = strtok_r(NULL, "\n", &save), zones++) {
		const struct kmem_stat_zone *z = NULL;
		unsigned long long sum = 0;
		char name[16], *s;
		int used = 0;

		is(sscanf(l, "Node 0, zone %15s%n", name, &used), 1, "%s", l);
		for (unsigned int i = 0; i < KMEM_NR_ZONES; i++)
			if (strcmp(kmem_zone_name(i), name) == 0)
				z = &kmem_stat_get()->zone[i];
		s = l + used;
		for (unsigned int o = 0; o < NR_PAGE_ORDERS; o++)
			sum += strtoull(s, &s, 10) << o;
		is_str(s, " ", "eleven columns and a blank");
		if (ok(z != NULL, "%s", name))
			is(sum, z->free, "%s", name);
	}
	is(zones, 2, "DMA and Normal; HighMem is empty");
	for (unsigned int i = 1; i < 64; i += 2)
		put_page(held[i]);
	is(kmem_check(), 0);
	is(kmem_shutdown(), 0);
}

TEST(S193_zoneinfo_of_a_live_machine)
{
	const char *high, *end;

	if (!boot("mem=64M zones=i386"))
		return;
	own("zoneinfo");
	ok(strncmp(text, "Node 0, zone      DMA\n  per-node stats\n", 39) == 0, "%.60s", text);
	/* Four zone types: DMA, Normal, HighMem, Movable. */
	ok(strstr(text, "\n        protection: (0, 48, 48, 48)\n"), "DMA");
	ok(strstr(text, "\n        protection: (0, 0, 0, 0)\n"), "Normal");
	high = strstr(text, "Node 0, zone  HighMem\n");
	end = high ? strstr(high, "Node 0, zone  Movable\n") : NULL;
	if (ok(high && end)) {
		ok(end - high < 300, "%ld bytes", (long)(end - high));
		is(strncmp(end - 25, "protection: (0, 0, 0, 0)\n", 25), 0, "ends with protection");
		ok(!strstr(high, "pagesets"), "empty zones have no per-CPU lists");
		ok(strstr(high, "        min      32\n"), "%s", high);
	}
	is(kmem_shutdown(), 0);
}

TEST(S193_free_pages_agree_everywhere)
{
	unsigned long long dma, normal;

	if (!boot("mem=64M zones=i386"))
		return;
	own("zoneinfo");
	dma = value_of(text, "nr_free_pages");
	normal = value_of(strstr(text, "zone   Normal"), "nr_free_pages");
	is(value_of(own("vmstat"), "nr_free_pages"), dma + normal);
	is(kmem_shutdown(), 0);
}

TEST(S193_pages_on_per_cpu_lists_are_shown)
{
	unsigned long long shown = 0;
	const char *s;
	struct page *p;

	if (!boot("mem=64M zones=flat"))
		return;
	p = alloc_page(GFP_KERNEL);
	__free_page(p);
	own("zoneinfo");
	for (s = text; (s = strstr(s, "count:    ")) != NULL; s += 5)
		shown += strtoull(s + 10, NULL, 10);
	is(shown + kmem_stat_get()->zone[KMEM_ZONE_NORMAL].free +
		   kmem_stat_get()->nr_slab_unreclaimable + kmem_stat_get()->nr_slab_reclaimable,
	   kmem_stat_get()->total_pages, "free, on lists, in slabs: all");
	ok(shown > 0, "the page just freed rests on a list");
	kmem_drain();
	own("zoneinfo");
	for (s = text, shown = 0; (s = strstr(s, "count:    ")) != NULL; s += 5)
		shown += strtoull(s + 10, NULL, 10);
	is(shown, 0, "drained");
	is(kmem_shutdown(), 0);
}

TEST(S197_events_advance_by_the_size_of_the_block)
{
	if (!boot("mem=64M zones=i386"))
		return;
	for (unsigned int order = 0; order <= MAX_PAGE_ORDER; order++) {
		unsigned long long normal = value_of(own("vmstat"), "pgalloc_normal");
		unsigned long long dma = value_of(text, "pgalloc_dma");
		unsigned long long freed = value_of(text, "pgfree");
		struct page *p = alloc_pages(GFP_KERNEL, order);
		struct page *q = alloc_pages(GFP_KERNEL | GFP_DMA, order);

		ok(p && q, "order %u", order);
		is(value_of(own("vmstat"), "pgalloc_normal"), normal + (1u << order), "order %u",
		   order);
		is(value_of(text, "pgalloc_dma"), dma + (1u << order), "order %u", order);
		is(value_of(text, "pgfree"), freed, "order %u", order);
		__free_pages(p, order);
		__free_pages(q, order);
		is(value_of(own("vmstat"), "pgfree"), freed + (2u << order), "order %u", order);
	}
	is(kmem_shutdown(), 0);
}

TEST(S142_slab_pages_are_counted_where_they_belong)
{
	struct kmem_cache *c;
	unsigned long long before;
	void *p;

	if (!boot("mem=64M"))
		return;
	c = kmem_cache_create("S142", 512, 0, SLAB_RECLAIM_ACCOUNT | SLAB_NO_MERGE, NULL);
	before = value_of(own("vmstat"), "nr_slab_reclaimable");
	p = kmem_cache_alloc(c, GFP_KERNEL);
	ok(value_of(own("vmstat"), "nr_slab_reclaimable") > before);
	kmem_cache_free(c, p);
	is(kmem_cache_destroy(c), 0);
	is(value_of(own("vmstat"), "nr_slab_reclaimable"), before);
	is(kmem_shutdown(), 0);
}

TEST(types_of_page_blocks_cover_the_zones)
{
	static const char *const lines[] = {"mem=64M zones=i386", "mem=64M zones=i386 mobility=1"};

	for (size_t i = 0; i < 2; i++) {
		unsigned long long sum = 0;
		const char *s;

		if (!boot(lines[i]))
			continue;
		own("pagetypeinfo");
		s = strstr(text, "Node 0, zone   Normal ");
		if (ok(s != NULL, "%s", text)) {
			char *end = (char *)(uintptr_t)s + 21;

			for (unsigned int mt = 0; mt < KMEM_NR_MT; mt++)
				sum += strtoull(end, &end, 10);
			is(sum, 12288 / 512, "%s", lines[i]);
		}
		is(kmem_shutdown(), 0);
	}
}
