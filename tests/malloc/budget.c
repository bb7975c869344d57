/* SPDX-License-Identifier: MIT */
/*
 * budget MIB: takes blocks of one size until there are no more. The refusal must be NULL with ENOMEM
 * and leave all blocks intact; what was had lies between a share of the budget and the budget, for
 * large blocks four fifths, since they are packed without gaps; and after everything is freed the
 * same must be had again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MIB (1024UL * 1024)

struct link {
	struct link *next;
	size_t size;
};

static struct link *take_all(size_t size, size_t limit, size_t *total)
{
	struct link *head = NULL;

	for (*total = 0; *total < limit;) {
		struct link *l = malloc(size);

		if (!l)
			return head;
		memset(l, 0x77, size);
		l->next = head;
		l->size = size;
		head = l;
		*total += size;
	}
	return head;
}

/* How many of the blocks were not what was written. */
static size_t give_all(struct link *head)
{
	size_t bad = 0;

	while (head) {
		struct link *next = head->next;
		const unsigned char *p = (const unsigned char *)head;

		bad += p[sizeof(*head)] != 0x77 || p[head->size - 1] != 0x77;
		free(head);
		head = next;
	}
	return bad;
}

int main(int argc, char **argv)
{
	static const size_t size[] = {64, 700, 5000, 20000, 300000, 1153433};
	size_t budget = argc > 1 ? strtoul(argv[1], NULL, 10) * MIB : 0;
	int failed = 0;

	for (size_t i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
		size_t least = size[i] > 8192 ? budget / 5 * 4 : budget / 2;
		size_t first, second, bad;
		struct link *head;

		errno = 0;
		head = take_all(size[i], 2 * budget, &first);
		if (errno != ENOMEM)
			failed = 1;
		bad = give_all(head);
		bad += give_all(take_all(size[i], 2 * budget, &second));
		if (bad != 0 || first > budget || first < least || second < first / 10 * 9)
			failed = 1;
		printf("# size %zu: %zu KiB, again %zu KiB, errno %d, %zu bad\n", size[i],
		       first / 1024, second / 1024, errno, bad);
	}
	errno = 0;
	if (malloc(budget) || errno != ENOMEM)
		failed = 1;
	errno = 0;
	if (calloc(1, budget) || errno != ENOMEM)
		failed = 1;
	printf("%s\n", failed ? "failed" : "passed");
	return failed;
}
