/* SPDX-License-Identifier: MIT */
/*
 *	limits LEAST [FILES]	LEAST: MiB that must be had at least; FILES: of so many descriptors
 *
 * The machine that the environment asks for, used up twice: started, filled until it says no, given
 * back whole, filled again with as much, stopped with nothing lost. One line, and status 0 if all
 * of that held.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <kmem/kmem.h>
#include <kmem/slab.h>

struct block {
	struct block *next;
	size_t size;
};

static int refuse(const char *what, long n)
{
	printf("%s: %ld\n", what, n);
	return 1;
}

/* Blocks of all sizes up to 32 KiB, each written to its last byte, until one is refused. */
static size_t fill(struct block **list)
{
	static const size_t sizes[] = {32, 100, 512, 3000, 4096, 8192, 20000, 32768};
	size_t bytes = 0;

	for (unsigned int i = 0;; i++) {
		size_t size = sizes[i % (sizeof(sizes) / sizeof(sizes[0]))];
		struct block *b = kmalloc(size, GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY);

		/* Small blocks take what the large ones leave. */
		for (size = 4096; !b && size >= 64; size /= 2)
			b = kmalloc(size, GFP_KERNEL | __GFP_NOWARN);
		if (!b)
			return bytes;
		__asm__("" : "+r"(b)); /* the compiler knows only the size asked for */
		size = ksize(b);
		memset(b, 0xa5, size);
		b->next = *list;
		b->size = size;
		*list = b;
		bytes += size;
	}
}

/* Every byte is what was written; then it goes. False: one is not. */
static int empty(struct block **list)
{
	while (*list) {
		struct block *b = *list;
		const unsigned char *p = (const unsigned char *)b;

		*list = b->next;
		for (size_t i = sizeof(*b); i < b->size; i++) {
			if (p[i] != 0xa5)
				return 0;
		}
		kfree(b);
	}
	return 1;
}

int main(int argc, char **argv)
{
	size_t least = (size_t)(argc > 1 ? atol(argv[1]) : 1) << 20, bytes, again;
	struct block *list = NULL;
	int err;

	if (argc > 2) {
		struct rlimit files = {(rlim_t)atol(argv[2]), (rlim_t)atol(argv[2])};

		if (setrlimit(RLIMIT_NOFILE, &files))
			return refuse("setrlimit", 1);
	}
	err = kmem_boot(NULL);
	if (err) {
		printf("no machine: %s\n", kmem_boot_error());
		return 1;
	}
	bytes = fill(&list);
	if (bytes < least)
		return refuse("too few bytes before a refusal", (long)bytes);
	if (!empty(&list))
		return refuse("a block was written over", 1);
	kmem_drain();
	if (kmem_check())
		return refuse("kmem_check after the first round", kmem_check());
	again = fill(&list);
	if (again < bytes - bytes / 8)
		return refuse("too few bytes the second time", (long)again);
	if (!empty(&list))
		return refuse("a block was written over", 2);
	if (kmem_check())
		return refuse("kmem_check after the second round", kmem_check());
	if (kmem_shutdown() != 0)
		return refuse("leaks", 1);
	printf("%zu bytes, then %zu\n", bytes, again);
	return 0;
}
