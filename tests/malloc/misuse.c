/* SPDX-License-Identifier: MIT */
/* Wrong frees are reported and ignored; the program goes on and its blocks are whole. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static char global[4096 * 2];

int main(void)
{
	char local[64], *keep[100], *large, *small, *mapped;
	volatile uintptr_t hide = 0;
	int good = 1;

	for (int i = 0; i < 100; i++) {
		keep[i] = malloc((size_t)i * 50 + 40);
		memset(keep[i], i, (size_t)i * 50 + 40);
	}
	large = malloc(1000000);
	small = malloc(100);
	mapped = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	free((void *)((uintptr_t)local + hide));	/* foreign: the stack */
	free((void *)((uintptr_t)global + hide));	/* foreign: data */
	free((void *)((uintptr_t)mapped + hide));	/* foreign: page-aligned */
	free((void *)((uintptr_t)0x1000 + hide));	/* nothing there */
	free((void *)((uintptr_t)large + 4096 + hide)); /* the middle of a run */
	free((void *)((uintptr_t)large + 100 + hide));
	free((void *)((uintptr_t)small + 8 + hide)); /* inside an object */
	good &= realloc((void *)((uintptr_t)mapped + hide), 100) == NULL;
	free(large);
	free((void *)((uintptr_t)large + hide)); /* twice */

	for (int i = 0; i < 100; i++) {
		for (int k = 0; k < i * 50 + 40; k++)
			good &= keep[i][k] == (char)i;
		free(keep[i]);
	}
	free(small);
	printf("%s\n", good ? "whole" : "damaged");
	return !good;
}
