/* SPDX-License-Identifier: MIT */
/* Zones, watermarks and reserves: the worked examples, each number of them. */
#include "report/report.h"
#include "tap.h"

/* A machine of this line, or the test ends here. */
static bool boot(const char *line)
{
	int rc = kmem_boot(line);

	return is(rc, 0, "\"%s\": %s", line, kmem_boot_error());
}

static const struct kmem_stat_zone *zone(unsigned int z)
{
	return &kmem_stat_get()->zone[z];
}

static void marks_are(unsigned int z, u64 min, u64 low, u64 high, u64 promo)
{
	is(zone(z)->min, min, "zone %u min", z);
	is(zone(z)->low, low, "zone %u low", z);
	is(zone(z)->high, high, "zone %u high", z);
	is(zone(z)->promo, promo, "zone %u promo", z);
}

static void protects(unsigned int z, unsigned int class, u64 pages)
{
	is(zone(z)->protection[class], pages, "zone %u against class %u", z, class);
}

/* A machine whose zones manage other numbers of pages than they have. */
static void pretend(u64 dma, u64 dma32, u64 normal)
{
	kmem_machine.zones[KMEM_ZONE_DMA].managed = (unsigned long)dma;
	kmem_machine.zones[KMEM_ZONE_DMA32].managed = (unsigned long)dma32;
	kmem_machine.zones[KMEM_ZONE_NORMAL].managed = (unsigned long)normal;
	zone_setup_marks();
}

TEST(S23_marks_of_64_MiB)
{
	if (!boot("mem=64M zones=i386 percpu_pages=0"))
		return;
	is(kmem_stat_get()->min_free_kbytes, 1024);
	is(zone(KMEM_ZONE_DMA)->managed, 4096);
	is(zone(KMEM_ZONE_NORMAL)->managed, 12288);
	marks_are(KMEM_ZONE_DMA, 64, 80, 96, 112);
	marks_are(KMEM_ZONE_NORMAL, 192, 240, 288, 336);
	marks_are(KMEM_ZONE_HIGHMEM, 32, 32, 32, 32);
	marks_are(KMEM_ZONE_MOVABLE, 32, 32, 32, 32);
	protects(KMEM_ZONE_DMA, KMEM_ZONE_DMA, 0);
	protects(KMEM_ZONE_DMA, KMEM_ZONE_NORMAL, 48);
	protects(KMEM_ZONE_DMA, KMEM_ZONE_HIGHMEM, 48);
	protects(KMEM_ZONE_NORMAL, KMEM_ZONE_HIGHMEM, 0);
	is(kmem_check(), 0);
	is(kmem_shutdown(), 0);
}

TEST(S41_snapshot_1_of_a_real_machine)
{
	if (!boot("mem=16M min_free_kbytes=67584"))
		return;
	pretend(3840, 772497, 1146880);
	marks_are(KMEM_ZONE_DMA, 33, 41, 49, 57);
	marks_are(KMEM_ZONE_DMA32, 6786, 8482, 10178, 11874);
	marks_are(KMEM_ZONE_NORMAL, 10075, 12593, 15111, 17629);
	protects(KMEM_ZONE_DMA, KMEM_ZONE_DMA, 0);
	protects(KMEM_ZONE_DMA, KMEM_ZONE_DMA32, 3017);
	protects(KMEM_ZONE_DMA, KMEM_ZONE_NORMAL, 7497);
	protects(KMEM_ZONE_DMA, KMEM_ZONE_MOVABLE, 7497);
	protects(KMEM_ZONE_DMA32, KMEM_ZONE_DMA32, 0);
	protects(KMEM_ZONE_DMA32, KMEM_ZONE_NORMAL, 4480);
	protects(KMEM_ZONE_DMA32, KMEM_ZONE_MOVABLE, 4480);
	protects(KMEM_ZONE_NORMAL, KMEM_ZONE_MOVABLE, 0);
}

TEST(S41_snapshot_2_after_normal_grew)
{
	if (!boot("mem=16M min_free_kbytes=67584"))
		return;
	pretend(3840, 772497, 1900544);
	marks_are(KMEM_ZONE_DMA, 24, 30, 36, 42);
	marks_are(KMEM_ZONE_DMA32, 4875, 6093, 7311, 8529);
	marks_are(KMEM_ZONE_NORMAL, 11995, 14993, 17991, 20989);
	protects(KMEM_ZONE_DMA, KMEM_ZONE_DMA32, 3017);
	protects(KMEM_ZONE_DMA, KMEM_ZONE_NORMAL, 10441);
	protects(KMEM_ZONE_DMA32, KMEM_ZONE_NORMAL, 7424);
}

TEST(S42_scale_factor)
{
	if (!boot("mem=64M zones=i386"))
		return;
	is(kmem_sysctl("watermark_scale_factor", "100"), 0);
	marks_are(KMEM_ZONE_NORMAL, 192, 314, 436, 558);
	is(kmem_sysctl("watermark_scale_factor", "10"), 0);
	marks_are(KMEM_ZONE_NORMAL, 192, 240, 288, 336);
	kmem_shutdown();
	if (!boot("mem=64M zones=i386 watermark_scale_factor=100"))
		return;
	marks_are(KMEM_ZONE_NORMAL, 192, 314, 436, 558);
	kmem_shutdown();
}

TEST(S43_no_ratio_and_no_pages_no_protection)
{
	if (!boot("mem=1G zones=i386 lowmem_reserve_ratio=0,256,32"))
		return;
	for (unsigned int z = 0; z < KMEM_NR_ZONES; z++) {
		protects(KMEM_ZONE_DMA, z, 0);	   /* ratio 0 */
		protects(KMEM_ZONE_DMA32, z, 0);   /* not there */
		protects(KMEM_ZONE_HIGHMEM, z, 0); /* ratio 0 by default */
		protects(KMEM_ZONE_MOVABLE, z, 0);
	}
	protects(KMEM_ZONE_NORMAL, KMEM_ZONE_HIGHMEM, 1024);
	is(kmem_sysctl("lowmem_reserve_ratio", "256 256 0"), 0);
	protects(KMEM_ZONE_DMA, KMEM_ZONE_NORMAL, 880);
	protects(KMEM_ZONE_NORMAL, KMEM_ZONE_HIGHMEM, 0);
	kmem_shutdown();
	/* All memory in DMA: Normal is configured and has none. */
	if (!boot("mem=16M zones=i386"))
		return;
	for (unsigned int z = 0; z < KMEM_NR_ZONES; z++)
		protects(KMEM_ZONE_NORMAL, z, 0);
	kmem_shutdown();
}

TEST(S71_i386_preset)
{
	if (!boot("mem=1G zones=i386"))
		return;
	is(zone(KMEM_ZONE_DMA)->present, 4096);
	is(zone(KMEM_ZONE_NORMAL)->present, 225280);
	is(zone(KMEM_ZONE_HIGHMEM)->present, 32768);
	is(zone(KMEM_ZONE_DMA)->start_pfn, 0);
	is(zone(KMEM_ZONE_NORMAL)->start_pfn, 4096);
	is(zone(KMEM_ZONE_HIGHMEM)->start_pfn, 229376);
	is(kmem_check(), 0);
	kmem_shutdown();
	if (!boot("mem=16M zones=i386"))
		return;
	ok(zone(KMEM_ZONE_DMA)->populated, "DMA");
	is(zone(KMEM_ZONE_DMA)->present, 4096);
	ok(zone(KMEM_ZONE_NORMAL)->configured && !zone(KMEM_ZONE_NORMAL)->populated, "Normal");
	ok(zone(KMEM_ZONE_HIGHMEM)->configured && !zone(KMEM_ZONE_HIGHMEM)->populated, "HighMem");
	is(kmem_check(), 0);
	kmem_shutdown();
}

TEST(S71_1_GiB_i386_marks)
{
	if (!boot("mem=1G zones=i386"))
		return;
	is(kmem_stat_get()->min_free_kbytes, 3831);
	marks_are(KMEM_ZONE_DMA, 17, 21, 25, 29);
	marks_are(KMEM_ZONE_NORMAL, 939, 1173, 1407, 1641);
	marks_are(KMEM_ZONE_HIGHMEM, 32, 66, 100, 134);
	protects(KMEM_ZONE_DMA, KMEM_ZONE_NORMAL, 880);
	protects(KMEM_ZONE_DMA, KMEM_ZONE_HIGHMEM, 1008);
	protects(KMEM_ZONE_NORMAL, KMEM_ZONE_HIGHMEM, 1024);
	kmem_shutdown();
}

TEST(S74_min_free_kbytes)
{
	static const struct {
		const char *line;
		u64 kb;
	} rows[] = {
		{"mem=1M zones=flat", 128}, /* isqrt(16 * 1024) is 128 */
		{"mem=16M zones=flat", 512},
		{"mem=64M zones=flat", 1024},
		{"mem=128M zones=flat", 1448},
		{"mem=512M zones=flat", 2896},
		{"mem=2G zones=i386", 3831},
		{"mem=1G zones=flat", 4096},
		{"mem=64M min_free_kbytes=67584", 67584},
		{"mem=64M zones=normal:16M,movable:rest", 512}, /* movable is not lowmem */
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!boot(rows[i].line))
			continue;
		is(kmem_stat_get()->min_free_kbytes, rows[i].kb, "%s", rows[i].line);
		kmem_shutdown();
	}
	/* The bounds, on memory that is only pretended. */
	if (!boot("mem=16M"))
		return;
	pretend(0, 0, 256 << 8);
	is(kmem_stat_get()->min_free_kbytes, 2048);
	pretend(0, 0, 1);
	is(kmem_stat_get()->min_free_kbytes, 128, "the least");
	pretend(0, 0, 0x80000000ull);
	is(kmem_stat_get()->min_free_kbytes, 262144, "the most");
}

TEST(S75_highmem_marks)
{
	if (!boot("mem=64M zones=normal:16M,highmem:rest"))
		return;
	marks_are(KMEM_ZONE_HIGHMEM, 32, 32 + 96, 32 + 2 * 96, 32 + 3 * 96);
	kmem_shutdown();
	if (!boot("mem=16M zones=i386"))
		return;
	kmem_machine.zones[KMEM_ZONE_HIGHMEM].managed = 65536;
	zone_setup_marks();
	is(zone(KMEM_ZONE_HIGHMEM)->min, 64, "1/1024 between the bounds");
	kmem_machine.zones[KMEM_ZONE_HIGHMEM].managed = 1u << 30;
	zone_setup_marks();
	is(zone(KMEM_ZONE_HIGHMEM)->min, 128, "the most");
}

TEST(S75_4_GiB_i386)
{
	if (!boot("mem=4G zones=i386"))
		return;
	is(kmem_stat_get()->min_free_kbytes, 3831);
	is(zone(KMEM_ZONE_HIGHMEM)->present, 819200);
	marks_are(KMEM_ZONE_DMA, 17, 21, 25, 29);
	marks_are(KMEM_ZONE_NORMAL, 939, 1173, 1407, 1641);
	marks_are(KMEM_ZONE_HIGHMEM, 128, 982, 1836, 2690);
	protects(KMEM_ZONE_DMA, KMEM_ZONE_NORMAL, 880);
	protects(KMEM_ZONE_DMA, KMEM_ZONE_HIGHMEM, 4080);
	protects(KMEM_ZONE_NORMAL, KMEM_ZONE_HIGHMEM, 25600);
	is(kmem_check(), 0);
	is(kmem_shutdown(), 0);
}

TEST(S41_8_GiB_x86_64)
{
	if (sizeof(void *) < 8)
		skip_loudly("8 GiB of direct map need 64-bit addresses");
	if (!boot("mem=8G zones=x86_64"))
		return;
	is(kmem_stat_get()->min_free_kbytes, 11585);
	is(zone(KMEM_ZONE_DMA32)->present, 1044480);
	is(zone(KMEM_ZONE_NORMAL)->present, 1048576);
	marks_are(KMEM_ZONE_DMA, 5, 9, 13, 17);
	marks_are(KMEM_ZONE_DMA32, 1442, 2486, 3530, 4574);
	marks_are(KMEM_ZONE_NORMAL, 1448, 2496, 3544, 4592);
	protects(KMEM_ZONE_DMA, KMEM_ZONE_DMA32, 4080);
	protects(KMEM_ZONE_DMA, KMEM_ZONE_NORMAL, 8176);
	protects(KMEM_ZONE_DMA32, KMEM_ZONE_NORMAL, 4096);
	is(kmem_check(), 0);
	is(kmem_shutdown(), 0);
}

TEST(S40_totals_follow_at_once)
{
	if (!boot("mem=64M zones=i386"))
		return;
	is(kmem_stat_get()->total_pages, 16384);
	is(kmem_stat_get()->totalreserve_pages, (96 + 48) + 288);
	is(kmem_sysctl("min_free_kbytes", "2048"), 0);
	marks_are(KMEM_ZONE_DMA, 128, 160, 192, 224);
	marks_are(KMEM_ZONE_NORMAL, 384, 480, 576, 672);
	is(kmem_stat_get()->totalreserve_pages, (192 + 48) + 576);
	kmem_shutdown();
}
