/* SPDX-License-Identifier: MIT */
/*
 * A timer's handler allocates and frees while the program it interrupts does the same. Not
 * something POSIX allows; something this library does.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

enum { SLOTS = 64, SECONDS = 3 };

static void *theirs[SLOTS];
static volatile unsigned long handled, refused;

static void handler(int sig)
{
	static unsigned int n;
	unsigned int at = n++ % SLOTS;
	size_t size = (size_t)(n * 37 % 3000) + (n % 32 == 0 ? 20000 : 1);

	(void)sig;
	free(theirs[at]);
	theirs[at] = malloc(size);
	if (theirs[at])
		memset(theirs[at], 0x11, size);
	else
		refused = refused + 1;
	handled = handled + 1;
}

int main(void)
{
	struct sigaction sa = {.sa_handler = handler};
	struct itimerval every = {{0, 40}, {0, 40}}, never = {{0, 0}, {0, 0}};
	unsigned char *p[SLOTS] = {0};
	size_t size[SLOTS];
	unsigned long bad = 0, rounds = 0;
	time_t end = time(NULL) + SECONDS;

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &every, NULL);
	while (time(NULL) < end) {
		for (unsigned int i = 0; i < 1000; i++, rounds++) {
			unsigned int at = (unsigned int)(rounds * 7) % SLOTS;

			if (p[at]) {
				bad += p[at][0] != 0x22 || p[at][size[at] - 1] != 0x22;
				free(p[at]);
			}
			size[at] = (size_t)(rounds * 31 % 5000) + 1;
			p[at] = malloc(size[at]);
			if (p[at])
				memset(p[at], 0x22, size[at]);
		}
	}
	setitimer(ITIMER_REAL, &never, NULL);
	printf("# %lu handled, %lu refused, %lu rounds, %lu bad\n", handled, refused, rounds, bad);
	return bad != 0 || handled < 1000 || refused > handled / 10;
}
