/* SPDX-License-Identifier: MIT */
/* What compat/linux adds to libkmem's own calls: managed and DMA memory, copies, pages' private words. */
#include <errno.h>
#include <string.h>
#include <kmem/kmem.h>
#include <kmem/stat.h>
#include <linux/device.h>
#include <linux/devm.h>
#include <linux/dma-mapping.h>
#include <linux/dmapool.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/sched/mm.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <asm/posix_types.h>
#include <linux/sysinfo.h>
#include <linux/vmalloc.h>
#include <net/sock.h>
#include "../env/env_test.h"

void *memdup_user(const void *src, size_t len);
void *memdup_user_nul(const void *src, size_t len);
void *vmemdup_user(const void *src, size_t len);
char *strndup_user(const char *s, long max);
int kmem_env_register_oom_notifier(void *nb, int (*call)(void *, unsigned long, void *));
int kmem_env_unregister_oom_notifier(void *nb);

static void boot(const char *options)
{
	is(kmem_boot(options), 0, "boot");
}

static bool is_error(const void *p, long err)
{
	return (long)p == err;
}

TEST(copies_are_of_kmalloc_and_errors_are_pointers)
{
	char text[] = "0123456789";
	char *p;

	boot("mem=16M");
	p = memdup_user(text, 4);
	ok(memcmp(p, text, 4) == 0, "copy");
	kfree(p);
	p = memdup_user_nul(text, 4);
	ok(strcmp(p, "0123") == 0, "with a zero: %s", p);
	kfree(p);
	p = vmemdup_user(text, sizeof(text));
	ok(strcmp(p, text) == 0, "by kvmalloc");
	kvfree(p);
	p = strndup_user(text, sizeof(text));
	ok(strcmp(p, text) == 0, "string");
	kfree(p);
	ok(is_error(strndup_user(text, 4), -EINVAL), "a string that is too long");
	ok(is_error(memdup_user(text, SIZE_MAX / 2), -ENOMEM), "more than there is");
	is(kmem_shutdown(), 0, "leaks");
}

TEST(fragments_hold_their_block)
{
	struct page_frag_cache cache = {0};
	struct page_frag cut = {0};
	char *p[40];

	boot("mem=16M zones=flat percpu_pages=0");
	for (int i = 0; i < 40; i++) {
		p[i] = page_frag_alloc(&cache, 1500, GFP_ATOMIC);
		ok(p[i], "fragment %d", i);
		memset(p[i], i, 1500);
	}
	for (int i = 0; i < 40; i++)
		ok(p[i][0] == i && p[i][1499] == i, "fragment %d is nobody else's", i);
	ok(virt_to_head_page(p[0]) != virt_to_head_page(p[39]), "of more than one block");
	is(page_count(virt_to_head_page(p[0])), 32768 / 1500, "the first is held by its fragments");
	page_frag_cache_drain(&cache);
	for (int i = 0; i < 40; i++)
		page_frag_free(p[i]);
	p[0] = page_frag_alloc_align(&cache, 100, GFP_KERNEL, ~63u);
	is((unsigned long)p[0] % 64, 0, "aligned");
	page_frag_free(p[0]);
	for (int i = 0; i < 1000; i++) {
		p[1] = page_frag_alloc(&cache, 1000, GFP_KERNEL);
		page_frag_free(p[1]);
	}
	ok(virt_to_head_page(p[0]) == virt_to_head_page(p[1]), "a block nobody holds goes round");
	ok(!page_frag_alloc(&cache, 40000, GFP_KERNEL), "more than a block");
	__page_frag_cache_drain(virt_to_head_page(cache.va), cache.pagecnt_bias);
	ok(skb_page_frag_refill(1000, &cut, GFP_KERNEL) && cut.offset == 0, "the other form");
	cut.offset = cut.size - 999;
	get_page(cut.page);
	put_page(cut.page);
	ok(skb_page_frag_refill(1000, &cut, GFP_KERNEL) && cut.offset == 0, "again from the start");
	put_page(cut.page);
	is(kmem_shutdown(), 0, "leaks");
}

TEST(a_mapping_has_a_mask_of_its_own)
{
	struct address_space mapping = {0};

	boot("mem=16M");
	mapping_set_gfp_mask(&mapping, GFP_NOFS);
	ok(mapping_gfp_mask(&mapping) == GFP_NOFS, "as it was set");
	ok(mapping_gfp_constraint(&mapping, GFP_KERNEL) == GFP_NOFS, "what both allow");
	ok(gfp_any() == GFP_KERNEL, "of a task");
	is(kmem_shutdown(), 0, "leaks");
}

TEST(a_valid_object_begins_there_and_somebody_has_it)
{
	unsigned long page;
	char *p, here;

	machine_start("mem=16M");
	p = kmalloc(100, GFP_KERNEL);
	page = __get_free_page(GFP_KERNEL);
	ok(kmem_valid_obj(p), "an object");
	ok(!kmem_valid_obj(p + 8), "the inside of one");
	ok(!kmem_valid_obj((void *)page), "a page");
	ok(!kmem_valid_obj(&here) && !kmem_valid_obj(NULL), "outside the machine");
	kmem_dump_obj(p + 8);
	kmem_dump_obj((void *)page);
	kmem_dump_obj(NULL);
	is(log_count("is 8 bytes inside the object"), 1);
	is(log_count("which has an owner"), 1);
	is(log_count("is outside the machine's memory"), 1);
	free_page(page);
	kfree(p);
	kmem_drain();
	ok(!kmem_valid_obj(p), "a freed one");
	is(kmem_shutdown(), 0, "leaks");
}

TEST(the_counts_of_pages_agree_and_follow_allocations)
{
	struct sysinfo before = {0}, after = {0};
	struct page *page;
	long available;

	boot("mem=16M");
	si_meminfo(&before);
	available = si_mem_available();
	page = alloc_pages(GFP_KERNEL, 9);
	si_meminfo(&after);
	is(before.totalram, totalram_pages(), "total");
	is(before.mem_unit, PAGE_SIZE, "in pages");
	is(before.freeram - after.freeram, 512, "what is taken is not free");
	ok(available > 0 && available < (long)before.freeram, "less the reserves: %ld", available);
	is(available - si_mem_available(), 512, "nor to be had");
	__free_pages(page, 9);
	is(kmem_shutdown(), 0, "leaks");
}

TEST(a_window_of_vm_map_ram_shows_its_pages)
{
	struct page *pages[2];
	char *p;

	boot("mem=16M");
	pages[0] = alloc_page(GFP_KERNEL);
	pages[1] = alloc_page(GFP_KERNEL);
	p = vm_map_ram(pages, 2, -1);
	ok(p != NULL && is_vmalloc_addr(p), "mapped");
	p[PAGE_SIZE] = 'x';
	vm_unmap_ram(p, 2);
	is(*(char *)page_address(pages[1]), 'x', "its second page is the second");
	__free_page(pages[0]);
	__free_page(pages[1]);
	is(kmem_shutdown(), 0, "leaks");
}

TEST(a_private_word_belongs_to_its_page)
{
	struct page *a, *b;

	boot("mem=16M");
	a = alloc_page(GFP_KERNEL);
	b = alloc_page(GFP_KERNEL);
	set_page_private(a, 1);
	set_page_private(b, 2);
	is(page_private(a), 1, "one");
	is(page_private(b), 2, "another");
	ok(folio_nr_pages(page_folio(a)) == 1, "a folio");
	ok(virt_to_head_page(page_address(a)) == a, "found by its address");
	ok(totalram_pages() > 3000, "%lu pages", totalram_pages());
	ok(nr_free_pages() > 0 && nr_free_pages() < totalram_pages(), "free pages");
	__free_page(a);
	__free_page(b);
	is(kmem_shutdown(), 0, "leaks");
}

TEST(the_mask_is_as_the_scopes_leave_it)
{
	unsigned int saved;

	boot("mem=16M");
	saved = memalloc_nofs_save();
	ok(current_gfp_context(GFP_KERNEL) == GFP_NOFS, "nofs");
	memalloc_nofs_restore(saved);
	saved = memalloc_noio_save();
	ok(current_gfp_context(GFP_KERNEL) == GFP_NOIO, "noio");
	memalloc_noio_restore(saved);
	ok(current_gfp_context(GFP_KERNEL) == GFP_KERNEL, "none");
	is(kmem_shutdown(), 0, "leaks");
}

static struct device *device_new(void)
{
	struct device *dev = kmem_env_root_device("tried");

	ok(dev != NULL, "a device");
	return dev;
}

TEST(managed_memory_goes_with_its_device)
{
	struct device *dev;
	char *p, *s;

	boot("mem=16M");
	dev = device_new();
	p = devm_kzalloc(dev, 100, GFP_KERNEL);
	ok(p && p[0] == 0 && p[99] == 0, "zeroed");
	memcpy(p, "abc", 4);
	p = devm_krealloc(dev, p, 5000, GFP_KERNEL);
	ok(p && strcmp(p, "abc") == 0, "larger");
	s = devm_kasprintf(dev, GFP_KERNEL, "%d-%s", 7, p);
	ok(s && strcmp(s, "7-abc") == 0, "%s", s);
	s = devm_kstrdup(dev, s, GFP_KERNEL);
	ok(devm_kcalloc(dev, SIZE_MAX / 2, 3, GFP_KERNEL) == NULL, "overflow");
	ok(devm_kmalloc(dev, 0, GFP_KERNEL) == ZERO_SIZE_PTR, "of no size");
	devm_kfree(dev, s);
	ok(devm_get_free_pages(dev, GFP_KERNEL, 2) != 0, "pages");
	ok(__devm_alloc_percpu(dev, 64, 8) != NULL, "per-CPU");
	ok(dmam_pool_create("p", dev, 64, 8, 0) != NULL, "a pool");
	root_device_unregister(dev);
	is(kmem_shutdown(), 0, "leaks");
}

TEST(dma_memory_lies_within_the_mask)
{
	struct device *dev;
	dma_addr_t dma = 0;
	void *p;

	boot("mem=64M zones=dma:16M:dma,normal:rest");
	dev = device_new();
	is(dma_set_mask_and_coherent(dev, DMA_BIT_MASK(24)), 0, "24 bits");
	p = dma_alloc_coherent(dev, 10000, &dma, GFP_KERNEL);
	ok(p && dma + 10000 <= 1 << 24 && dma == virt_to_phys(p), "at %#llx",
	   (unsigned long long)dma);
	dma_free_coherent(dev, 10000, p, dma);
	ok(dma_set_mask(dev, DMA_BIT_MASK(12)) == -EIO, "no memory within 12 bits");
	p = kmalloc(100, GFP_KERNEL);
	ok(virt_to_phys(p) >> 24 && dma_map_single(dev, p, 100, DMA_TO_DEVICE) == DMA_MAPPING_ERROR,
	   "what the device cannot reach is refused");
	kfree(p);
	p = kmalloc(100, GFP_DMA | GFP_KERNEL);
	dma = dma_map_single(dev, p, 100, DMA_TO_DEVICE);
	ok(!dma_mapping_error(dev, dma) && phys_to_virt(dma) == p, "what it can is mapped");
	kfree(p);
	p = vmalloc(100);
	ok(dma_mapping_error(dev, dma_map_single(dev, p, 100, DMA_TO_DEVICE)), "vmalloc() cannot");
	vfree(p);
	root_device_unregister(dev);
	is(kmem_shutdown(), 0, "leaks");
}

static unsigned int asked;
static int asked_for_memory(void *nb, unsigned long action, void *freed)
{
	(void)nb;
	(void)action;
	(void)freed;
	asked++;
	return 0;
}

TEST(notifiers_are_asked_before_a_request_fails)
{
	int nb;
	void **held = NULL, **p;

	boot("mem=16M");
	is(kmem_env_register_oom_notifier(&nb, asked_for_memory), 0, "registered");
	while ((p = (void **)__get_free_pages(GFP_KERNEL | __GFP_NOWARN, 0))) {
		*p = held;
		held = p;
	}
	ok(asked > 0, "asked %u times", asked);
	for (; held; held = p) {
		p = *held;
		free_page((unsigned long)held);
	}
	is(kmem_env_unregister_oom_notifier(&nb), 0, "no longer");
	is(kmem_env_unregister_oom_notifier(&nb), -ENOENT, "once only");
	is(kmem_shutdown(), 0, "leaks");
}
