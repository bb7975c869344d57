/* SPDX-License-Identifier: MIT */
/* The command line: every option, every refusal, and that a refusal changes nothing. */
#include "boot/boot.h"
#include "tap.h"

static struct kmem_options opt;
static char err[160];

static int parse(const char *line)
{
	err[0] = '\0';
	return tunables_parse(line, &opt, err, sizeof(err));
}

/* Parses and lays the zones; a port with 1 GiB. */
static int plan(const char *line)
{
	int rc = parse(line);

	return rc ? rc
		  : tunables_zones(&opt, opt.mem_bytes ? opt.mem_bytes : 1ull << 30, err,
				   sizeof(err));
}

static void refused(const char *line, const char *why)
{
	struct kmem_options before;

	parse("");
	before = opt;
	is(parse(line), -KE_INVAL, "\"%s\"", line);
	is_str(err, why, "\"%s\"", line);
	ok(memcmp(&before, &opt, sizeof(opt)) == 0, "\"%s\" changed the options", line);
}

/* Refused only once the memory is known. */
static void impossible(const char *line, const char *why)
{
	struct kmem_options before;

	is(parse(line), 0, "\"%s\": %s", line, err);
	before = opt;
	is(tunables_zones(&opt, opt.mem_bytes ? opt.mem_bytes : 1ull << 30, err, sizeof(err)),
	   -KE_INVAL, "\"%s\"", line);
	is_str(err, why, "\"%s\"", line);
	ok(memcmp(&before, &opt, sizeof(opt)) == 0, "\"%s\" changed the options", line);
}

static void zone_is(unsigned int z, uint64_t start, uint64_t end)
{
	ok(opt.zone_configured[z], "zone %u", z);
	is(opt.zone_start_pfn[z], start, "zone %u starts", z);
	is(opt.zone_end_pfn[z], end, "zone %u ends", z);
}

TEST(defaults)
{
	is(parse(NULL), 0);
	is(opt.mem_bytes, 0, "left to the port");
	is(opt.min_free_kbytes, 0, "computed");
	is(opt.watermark_scale_factor, 10);
	is(opt.lowmem_reserve_ratio[KMEM_ZONE_DMA], 256);
	is(opt.lowmem_reserve_ratio[KMEM_ZONE_DMA32], 256);
	is(opt.lowmem_reserve_ratio[KMEM_ZONE_NORMAL], 32);
	is(opt.lowmem_reserve_ratio[KMEM_ZONE_HIGHMEM], 0);
	is(opt.nr_cpus, 0);
	is(opt.seed, 0);
	ok(opt.percpu_pages && opt.kswapd, "on unless switched off");
	ok(!opt.slab_merge, "off unless switched on");
	ok(!opt.init_on_alloc && !opt.init_on_free && !opt.hardened && !opt.page_poison);
	ok(!opt.mobility && !opt.highatomic && !opt.huge_pages && !opt.oom_panic);
	is(opt.slab_min_objects, 0);
	is(opt.slab_min_order, 0);
	is(opt.slab_max_order, 3);
	is_str(opt.slab_debug, "");
	is_str(opt.failslab, "");
	is_str(opt.fail_page_alloc, "");
}

TEST(memory_sizes)
{
	is(parse("mem=64M"), 0);
	is(opt.mem_bytes, 64ull << 20);
	is(parse("mem=1g"), 0);
	is(opt.mem_bytes, 1ull << 30);
	is(parse("mem=2097153"), 0);
	is(opt.mem_bytes, 2097152, "rounded down to pages");
	is(parse("mem=0x200000"), 0);
	is(opt.mem_bytes, 2097152, "hexadecimal");
	is(parse("mem=1M"), 0);
	is(parse("mem=16777215M"), 0, "the largest machine");
	refused("mem=12Q", "mem=12Q: not a size");
	refused("zones=dma:16M,highmem:rest:dma", "zones=dma:16M,highmem:rest:dma: what __GFP_DMA "
						  "gives must have an address: not from "
						  "this zone");
	refused("mem=", "mem=: not a size");
	refused("mem", "mem: not a size");
	refused("mem=-1M", "mem=-1M: not a size");
	refused("mem=M", "mem=M: not a size");
	refused("mem=64MB", "mem=64MB: not a size");
	refused("mem=1023K", "mem=1023K: less than the least machine, 1M");
	refused("mem=0", "mem=0: less than the least machine, 1M");
	refused("mem=16T", "mem=16T: more than 2^32 - 1 pages");
	refused("mem=99999999999999999999", "mem=99999999999999999999: not a size");
}

TEST(words_and_quotes)
{
	is(parse("  mem=64M\tnr_cpus=2\n seed=7 "), 0);
	is(opt.mem_bytes, 64ull << 20);
	is(opt.nr_cpus, 2);
	is(opt.seed, 7);
	is(parse("lowmem_reserve_ratio=\"9 8 7\" seed=1"), 0, "blanks in quotes");
	is(opt.lowmem_reserve_ratio[0], 9);
	is(opt.lowmem_reserve_ratio[2], 7);
	is(opt.seed, 1);
	is(parse("\"lowmem_reserve_ratio=1 2\""), 0, "quotes round the word");
	is(opt.lowmem_reserve_ratio[1], 2);
	is(parse("slab-merge min-free-kbytes=512"), 0, "a dash is an underscore");
	ok(opt.slab_merge);
	is(opt.min_free_kbytes, 512);
	is(parse("seed=1 seed=2"), 0, "the last one wins");
	is(opt.seed, 2);
	refused("seed=\"1", "seed=1: quote is not closed");
	refused("quiet", "quiet: unknown option");
	refused("mem=64M foo=bar", "foo=bar: unknown option");
	refused("=3", "=3: unknown option");
	refused("memory=64M", "memory=64M: unknown option");
	refused("me=64M", "me=64M: unknown option");
}

TEST(words_too_long)
{
	char line[4096], name[64];

	memset(line, 'x', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	is(parse(line), -KE_INVAL);
	ok(strstr(err, "too long"), "%s", err);
	memset(name, 'y', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	is(parse(name), -KE_INVAL);
	ok(strstr(err, "unknown option"), "%s", err);
}

static void bool_option(const char *name, const bool *field)
{
	static const char *const yes[] = {"=1", "=y", "=Y", "=on", "=ON", ""};
	static const char *const no[] = {"=0", "=n", "=N", "=off", "=Off"};
	char line[80], why[120];

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		snprintf(line, sizeof(line), "%s=0 %s%s", name, name, yes[i]);
		is(parse(line), 0, "%s: %s", line, err);
		ok(*field, "%s", line);
	}
	for (size_t i = 0; i < ARRAY_SIZE(no); i++) {
		snprintf(line, sizeof(line), "%s %s%s", name, name, no[i]);
		is(parse(line), 0, "%s: %s", line, err);
		ok(!*field, "%s", line);
	}
	snprintf(line, sizeof(line), "%s=2", name);
	snprintf(why, sizeof(why), "%s: not a boolean (0, 1, on, off, y, n)", line);
	refused(line, why);
	snprintf(line, sizeof(line), "%s=", name);
	snprintf(why, sizeof(why), "%s: not a boolean (0, 1, on, off, y, n)", line);
	refused(line, why);
}

TEST(booleans)
{
	bool_option("percpu_pages", &opt.percpu_pages);
	bool_option("mobility", &opt.mobility);
	bool_option("highatomic", &opt.highatomic);
	bool_option("kswapd", &opt.kswapd);
	bool_option("huge_pages", &opt.huge_pages);
	bool_option("init_on_alloc", &opt.init_on_alloc);
	bool_option("init_on_free", &opt.init_on_free);
	bool_option("page_poison", &opt.page_poison);
	bool_option("oom_panic", &opt.oom_panic);
	bool_option("lockdep", &opt.lockdep);
	bool_option("hardened", &opt.hardened);
}

TEST(hardened_is_a_profile)
{
	is(parse("hardened=1"), 0);
	ok(opt.hardened && opt.init_on_alloc && opt.init_on_free && !opt.slab_merge);
	is(parse("hardened=1 init_on_alloc=0"), 0, "a later word may take a part of it back");
	ok(opt.hardened && !opt.init_on_alloc && opt.init_on_free);
	is(parse("hardened=0"), 0);
	ok(!opt.hardened && !opt.init_on_alloc && !opt.init_on_free);
	is(parse("slab_merge hardened"), 0);
	ok(!opt.slab_merge);
}

TEST(merging)
{
	is(parse("slab_merge slab_nomerge"), 0);
	ok(!opt.slab_merge);
	is(parse("slab_merge slub_nomerge"), 0);
	ok(!opt.slab_merge);
	is(parse("slab_nomerge slab_merge"), 0);
	ok(opt.slab_merge);
	is(parse("slab_nomerge slub_merge"), 0);
	ok(opt.slab_merge);
	refused("slab_nomerge=0", "slab_nomerge=0: takes no value");
	refused("slab_merge=", "slab_merge=: takes no value");
}

TEST(numbers)
{
	is(parse("min_free_kbytes=67584 watermark_scale_factor=100 nr_cpus=256"), 0, "%s", err);
	is(opt.min_free_kbytes, 67584);
	is(opt.watermark_scale_factor, 100);
	is(opt.nr_cpus, 256);
	is(parse("seed=0xffffffffffffffff"), 0);
	is(opt.seed, UINT64_MAX);
	is(parse("slab_min_objects=16 slab_min_order=1 slab_max_order=5"), 0);
	is(opt.slab_min_objects, 16);
	is(opt.slab_min_order, 1);
	is(opt.slab_max_order, 5);
	is(parse("slub_min_objects=4 slub_min_order=2 slub_max_order=2"), 0);
	is(opt.slab_min_order, 2);
	refused("watermark_scale_factor=0", "watermark_scale_factor=0: out of range");
	refused("watermark_scale_factor=3001", "watermark_scale_factor=3001: out of range");
	refused("nr_cpus=0", "nr_cpus=0: out of range");
	refused("nr_cpus=257", "nr_cpus=257: out of range");
	refused("nr_cpus=two", "nr_cpus=two: not a number");
	refused("nr_cpus", "nr_cpus: not a number");
	refused("nr_cpus=", "nr_cpus=: not a number");
	refused("seed=0x", "seed=0x: not a number");
	refused("seed=1.5", "seed=1.5: not a number");
	refused("seed=18446744073709551616", "seed=18446744073709551616: not a number");
	refused("min_free_kbytes=-1", "min_free_kbytes=-1: not a number");
	refused("slab_max_order=11", "slab_max_order=11: out of range");
	refused("slab_min_order=4", "slab_min_order=4: above slab_max_order=3");
}

TEST(reserve_ratios)
{
	is(parse("lowmem_reserve_ratio=1,2,3,4,5"), 0);
	for (uint32_t z = 0; z < KMEM_NR_ZONES; z++)
		is(opt.lowmem_reserve_ratio[z], z + 1, "zone %u", z);
	is(parse("lowmem_reserve_ratio=0"), 0, "the others keep theirs");
	is(opt.lowmem_reserve_ratio[0], 0);
	is(opt.lowmem_reserve_ratio[1], 256);
	refused("lowmem_reserve_ratio=1,2,3,4,5,6",
		"lowmem_reserve_ratio=1,2,3,4,5,6: more numbers than zones");
	refused("lowmem_reserve_ratio=", "lowmem_reserve_ratio=: not a list of numbers");
	refused("lowmem_reserve_ratio", "lowmem_reserve_ratio: not a list of numbers");
	refused("lowmem_reserve_ratio=1,", "lowmem_reserve_ratio=1,: not a list of numbers");
	refused("lowmem_reserve_ratio=1,,2", "lowmem_reserve_ratio=1,,2: not a list of numbers");
	refused("lowmem_reserve_ratio=x", "lowmem_reserve_ratio=x: not a list of numbers");
	refused("lowmem_reserve_ratio=4294967296",
		"lowmem_reserve_ratio=4294967296: not a list of numbers");
}

TEST(slab_debug_texts)
{
	is(parse("slab_debug"), 0);
	is_str(opt.slab_debug, "FZPU", "the bare word is everything that finds errors");
	is(parse("slab_debug="), 0);
	is_str(opt.slab_debug, "FZPU");
	is(parse("slab_debug=FZ;-,zs_handle"), 0);
	is_str(opt.slab_debug, "FZ;-,zs_handle");
	is(parse("slub_debug=P,kmalloc-*,dentry"), 0);
	is_str(opt.slab_debug, "P,kmalloc-*,dentry");
	is(parse("slab_debug=fzputao"), 0, "either case");
	refused("slab_debug=FQ", "slab_debug=FQ: unknown letter (F Z P U T A O or -)");
	refused("slab_debug=F,a;X,b", "slab_debug=F,a;X,b: unknown letter (F Z P U T A O or -)");
}

TEST(slab_debug_too_long)
{
	char line[200] = "slab_debug=F,";

	memset(line + 13, 'a', 130);
	is(parse(line), -KE_INVAL);
	ok(strstr(err, ": too long"), "%s", err);
}

static void fault_option(const char *name, const char *text)
{
	static const char why[] = "not interval,probability,space,times";
	static const char *const bad[] = {"=1,100,0",
					  "=",
					  "",
					  "=a,1,0,1",
					  "=1,100,0,-",
					  "=1,-5,0,1",
					  "=1,100,0,1x",
					  "=1;100;0;1",
					  "=1,101,0,1",
					  "=1,100,0,-2",
					  "=1,100,0,1,x=1",
					  "=1,100,0,1,verbose=3",
					  "=1,100,0,1,stacktrace-depth=33",
					  "=1,100,0,1,calls=",
					  "=1,100,0,1,calls=2:2",
					  "=1,100,0,1,calls=1:2:3:4:5:6:7:8:9",
					  "=1,100,0,1,require-start=x"};
	static const char longest[] = "2147483647,100,2147483647,2147483647,ignore-gfp-wait=N,"
				      "ignore-gfp-highmem=N,cache-filter=Y,min-order=10,"
				      "task-filter=Y,verbose=1,stacktrace-depth=32,"
				      "require-start=0x1000,require-end=0x2000,calls=1:2:30";
	char line[320], want[400];

	snprintf(line, sizeof(line), "%s=%s", name, longest);
	is(parse(line), 0, "%s", err);
	is_str(text, longest, "%s", name);
	snprintf(line, sizeof(line), "%s=1,100,0,-1", name);
	is(parse(line), 0, "%s", err);
	is_str(text, "1,100,0,-1", "%s", name);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(line, sizeof(line), "%s%s", name, bad[i]);
		snprintf(want, sizeof(want), "%s: %s", line, why);
		refused(line, want);
	}
	snprintf(line, sizeof(line), "%s=1,100,10,-1,min-order=0", name);
	is(parse(line), 0, "%s", err);
}

TEST(fault_texts)
{
	fault_option("failslab", opt.failslab);
	fault_option("fail_page_alloc", opt.fail_page_alloc);
}

TEST(preset_i386)
{
	is(plan("zones=i386 mem=1G"), 0, "%s", err);
	zone_is(KMEM_ZONE_DMA, 0, 4096);
	ok(!opt.zone_configured[KMEM_ZONE_DMA32]);
	zone_is(KMEM_ZONE_NORMAL, 4096, 229376);
	zone_is(KMEM_ZONE_HIGHMEM, 229376, 262144);
	zone_is(KMEM_ZONE_MOVABLE, 262144, 262144);
	is(plan("zones=i386 mem=16M"), 0);
	zone_is(KMEM_ZONE_DMA, 0, 4096);
	zone_is(KMEM_ZONE_NORMAL, 4096, 4096);
	zone_is(KMEM_ZONE_HIGHMEM, 4096, 4096);
}

TEST(preset_x86_64_is_the_default)
{
	is(plan("mem=8G"), 0, "%s", err);
	zone_is(KMEM_ZONE_DMA, 0, 4096);
	zone_is(KMEM_ZONE_DMA32, 4096, 1048576);
	zone_is(KMEM_ZONE_NORMAL, 1048576, 2097152);
	ok(!opt.zone_configured[KMEM_ZONE_HIGHMEM]);
	is(plan(""), 0, "memory from the port");
	is(opt.mem_bytes, 1ull << 30);
	zone_is(KMEM_ZONE_DMA32, 4096, 262144);
	is(plan("zones=x86_64"), 0);
	is(plan("mem=16777215M"), 0);
	zone_is(KMEM_ZONE_NORMAL, 1048576, 0xffffff00);
}

TEST(preset_flat)
{
	is(plan("mem=64M zones=flat"), 0);
	zone_is(KMEM_ZONE_NORMAL, 0, 16384);
	for (unsigned int z = 0; z < KMEM_NR_ZONES; z++)
		is(opt.zone_configured[z], z == KMEM_ZONE_NORMAL, "zone %u", z);
}

TEST(zone_tables)
{
	is(plan("zones=dma:16M,normal:880M,highmem:rest mem=1G"), 0, "%s", err);
	zone_is(KMEM_ZONE_DMA, 0, 4096);
	zone_is(KMEM_ZONE_NORMAL, 4096, 229376);
	zone_is(KMEM_ZONE_HIGHMEM, 229376, 262144);
	ok(!opt.zone_dma_too[KMEM_ZONE_NORMAL]);
	is(plan("mem=1G zones=dma:16M,normal:880M:dma,highmem:rest"), 0, "%s", err);
	ok(opt.zone_dma_too[KMEM_ZONE_NORMAL], "device-reachable too");
	is(plan("mem=1G zones=dma:16M,normal:rest:dma"), 0, "%s", err);
	zone_is(KMEM_ZONE_NORMAL, 4096, 262144);
	is(plan("mem=64M zones=DMA:16m,Normal:16m,Movable:Rest"), 0, "%s", err);
	zone_is(KMEM_ZONE_MOVABLE, 8192, 16384);
	is(plan("zones=dma:16M,normal:48M"), 0, "the table says how much there is: %s", err);
	is(opt.mem_bytes, 64ull << 20);
	is(plan("mem=32M zones=dma:16M,normal:48M"), 0, "zones above the memory are cut");
	zone_is(KMEM_ZONE_NORMAL, 4096, 8192);
	is(plan("mem=4M zones=dma:0,normal:rest"), 0, "a zone may be empty");
	zone_is(KMEM_ZONE_DMA, 0, 0);
	is(plan("mem=4M zones=dma:4K,normal:rest"), 0, "a page is enough");
	zone_is(KMEM_ZONE_NORMAL, 1, 1024);
}

TEST(impossible_zone_tables)
{
	refused("zones=", "zones=: no preset and no table");
	refused("zones", "zones: no preset and no table");
	refused("zones=arm", "zones=arm: unknown preset (i386, x86_64, flat)");
	refused("zones=dma,normal:rest", "zones=dma,normal:rest: a zone has no size");
	refused("zones=device:16M", "zones=device:16M: unknown zone (dma, dma32, normal, highmem, "
				    "movable)");
	refused("zones=normal:16M,dma:rest", "zones=normal:16M,dma:rest: zones must ascend: dma, "
					     "dma32, normal, highmem, movable");
	refused("zones=dma:16M,dma:rest",
		"zones=dma:16M,dma:rest: zones must ascend: dma, dma32, normal, highmem, movable");
	refused("zones=dma:rest,normal:16M",
		"zones=dma:rest,normal:16M: only the last zone may have the rest");
	refused("zones=dma:16Q,normal:rest",
		"zones=dma:16Q,normal:rest: a zone's size is not a size");
	refused("zones=dma:,normal:rest", "zones=dma:,normal:rest: a zone has no size");
	refused("zones=dma:100,normal:rest",
		"zones=dma:100,normal:rest: a zone's size is not a multiple of the page size");
	refused("zones=normal:rest:isa",
		"zones=normal:rest:isa: only :dma may follow a zone's size");
	refused("zones=dma:16M,", "zones=dma:16M,: unknown zone (dma, dma32, normal, highmem, "
				  "movable)");
	refused("zones=normal:17T", "zones=normal:17T: a zone is larger than 2^32 - 1 pages");
	impossible("mem=64M zones=dma:16M,normal:16M",
		   "zones: the table covers less than mem=; let the last size be rest");
	impossible("mem=64M zones=highmem:rest", "zones: no memory below highmem and movable");
	impossible("mem=64M zones=movable:rest", "zones: no memory below highmem and movable");
	impossible("zones=normal:64K", "zones: less than the least machine, 1M");
	impossible("zones=normal:15T,highmem:15T", "zones: more than 2^32 - 1 pages");
}

TEST(boot_says_which_word_and_why)
{
	is(kmem_boot("mem=12Q"), -KE_INVAL);
	is_str(kmem_boot_error(), "mem=12Q: not a size");
	ok(!kmem_booted());
	ok(!kmem_stat_get());
	is(kmem_boot("mem=64M zones=dma:16M"), -KE_INVAL);
	ok(!kmem_booted());
	ok(!kmalloc(8, GFP_KERNEL), "no machine starts behind the caller's back");
	is(kmem_boot("mem=16M"), 0, "%s", kmem_boot_error());
	is_str(kmem_boot_error(), "", "no error");
	is(kmem_boot("mem=16M"), -KE_BUSY);
	is_str(kmem_boot_error(), "the machine is already running");
	is(kmem_shutdown(), 0);
	is(kmem_shutdown(), 0, "twice is harmless");
}

TEST(sysctl_of_a_running_machine)
{
	is(kmem_sysctl("min_free_kbytes", "2048"), -KE_INVAL, "no machine");
	is(kmem_boot("mem=64M zones=i386"), 0, "%s", kmem_boot_error());
	is(kmem_sysctl("min_free_kbytes", "2048"), 0);
	is(kmem_stat_get()->min_free_kbytes, 2048);
	is(kmem_sysctl("watermark_scale_factor", "100"), 0);
	is(kmem_sysctl("lowmem_reserve_ratio", "64 256 32"), 0);
	is(kmem_sysctl("lowmem_reserve_ratio", "64\t256\t32"), 0);
	is(kmem_stat_get()->zone[KMEM_ZONE_DMA].protection[KMEM_ZONE_NORMAL], 12288 / 64);
	is(kmem_sysctl("watermark_scale_factor", "0"), -KE_INVAL);
	is(kmem_sysctl("watermark_scale_factor", ""), -KE_INVAL);
	is(kmem_sysctl("mem", "128M"), -KE_INVAL, "not while it runs");
	is(kmem_sysctl("nonsense", "1"), -KE_INVAL);
	is(kmem_sysctl(NULL, "1"), -KE_INVAL);
	is(kmem_sysctl("min_free_kbytes", NULL), -KE_INVAL);
	is(kmem_stat_get()->min_free_kbytes, 2048, "refusals change nothing");
	is(kmem_check(), 0);
	kmem_shutdown();
}

TEST(help_has_every_option)
{
	char buf[8192], tiny[10];
	size_t n = kmem_options_help(buf, sizeof(buf)), lines = 0, tabs = 0;

	ok(n < sizeof(buf) && strlen(buf) == n, "%zu bytes", n);
	is(kmem_options_help(NULL, 0), n, "the full length");
	is(kmem_options_help(tiny, sizeof(tiny)), n);
	is(strlen(tiny), sizeof(tiny) - 1);
	for (const char *s = buf; *s; s++) {
		lines += *s == '\n';
		tabs += *s == '\t';
	}
	is(tabs, 4 * lines, "five columns each");
	for (char *line = strtok(buf, "\n"); line; line = strtok(NULL, "\n")) {
		char word[64];

		snprintf(word, sizeof(word), "%.*s", (int)strcspn(line, "\t"), line);
		parse(word);
		ok(!strstr(err, "unknown option"), "%s", word);
	}
}
