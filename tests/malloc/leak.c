/* SPDX-License-Identifier: MIT */
/* Leaks three blocks of 1000 bytes and one of 50000 at two places; frees others. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *leak_small(size_t size);
void *leak_large(size_t size);

__attribute__((noinline)) void *leak_small(size_t size)
{
	char *p = malloc(size);

	memset(p, 1, size);
	return p;
}

__attribute__((noinline)) void *leak_large(size_t size)
{
	char *p = calloc(1, size);

	memset(p, 1, size);
	return p;
}

void *volatile sink;

int main(int argc, char **argv)
{
	(void)argv;
	for (int i = 0; i < 10; i++) {
		sink = leak_small(1000);
		if (i % 4 != 0)
			free(sink);
	}
	sink = leak_large(50000);
	sink = realloc(malloc(10), 30000);
	free(sink);
	if (argc > 1) /* many, so that the tables grow */
		for (int i = 0; i < 40000; i++)
			free(i % 2 ? malloc(64) : (sink = malloc(48), NULL));
	close(2); /* as many programs do on their way out */
	return 0;
}
