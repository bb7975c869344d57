/* SPDX-License-Identifier: MIT */
/* What tests of the whole machine share: a machine to start and stop, and ears for its reports. */
#ifndef KMEM_TEST_SUPPORT_H
#define KMEM_TEST_SUPPORT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <kmem/kmem.h>
#include <kmem/stat.h>
#include <kmem/shrinker.h>
#include <kmem/trace.h>
#include "tap.h"

enum { SUPPORT_LOG = 1 << 18, SUPPORT_CODES = 128 };

static char support_log[SUPPORT_LOG] TAP_UNUSED;
static size_t support_log_len TAP_UNUSED;
static unsigned int support_codes[SUPPORT_CODES] TAP_UNUSED;

static TAP_UNUSED void support_on_log(int level, const char *text, size_t len, void *arg)
{
	(void)level;
	(void)arg;
	if (support_log_len + len + 2 > SUPPORT_LOG)
		return;
	memcpy(support_log + support_log_len, text, len);
	support_log_len += len;
	if (len && text[len - 1] != '\n')
		support_log[support_log_len++] = '\n';
	support_log[support_log_len] = '\0';
}

static TAP_UNUSED void support_on_misuse(enum kmem_misuse code, const void *addr, void *arg)
{
	(void)addr;
	(void)arg;
	support_codes[code]++;
}

static TAP_UNUSED void reports_clear(void)
{
	support_log_len = 0;
	support_log[0] = '\0';
	memset(support_codes, 0, sizeof(support_codes));
}

static TAP_UNUSED unsigned int reports_of(enum kmem_misuse code)
{
	return support_codes[code];
}

static TAP_UNUSED unsigned int log_count(const char *needle)
{
	unsigned int n = 0;

	for (const char *s = support_log; *needle && (s = strstr(s, needle)) != NULL;
	     s += strlen(needle))
		n++;
	return n;
}

/* Boots with ears on; the test fails at once if that does not work. */
static TAP_UNUSED void machine_start(const char *cmdline)
{
	int err;

	reports_clear();
	kmem_set_log(support_on_log, NULL);
	kmem_set_misuse_hook(support_on_misuse, NULL);
	err = kmem_boot(cmdline);
	ok(err == 0, "boot \"%s\": %d %s", cmdline, err, err ? kmem_boot_error() : "");
	if (err)
		exit(1);
}

/* Proves the invariants, and that the test left exactly that many objects and blocks behind. */
static TAP_UNUSED void machine_stop_with(unsigned long leaks)
{
	int faults = kmem_check();
	unsigned long left;

	is(faults, 0, "kmem_check");
	left = kmem_shutdown();
	is(left, leaks, "leaks at shutdown");
	if (faults || left != leaks)
		fputs(support_log, stderr);
}

static TAP_UNUSED void machine_stop(void)
{
	machine_stop_with(0);
}

/* ---- Figures -------------------------------------------------------------------------------------- */

static TAP_UNUSED uint64_t events_of(enum kmem_event ev)
{
	return kmem_stat_events(kmem_stat_get(), ev);
}

static TAP_UNUSED uint64_t pages_free(void)
{
	uint64_t sum = 0;

	for (int z = 0; z < KMEM_NR_ZONES; z++)
		sum += kmem_stat_get()->zone[z].free;
	return sum;
}

static TAP_UNUSED uint64_t pages_free_drained(void)
{
	kmem_drain();
	return pages_free();
}

/* NULL: there is no such cache. */
static TAP_UNUSED const struct kmem_stat_cache *cache_stat(const char *name)
{
	const struct kmem_stat *st = kmem_stat_get();

	for (unsigned int i = 0; i < st->nr_caches; i++) {
		if (!strcmp(st->cache[i].name, name))
			return &st->cache[i];
	}
	return NULL;
}

/* Without kswapd: tests count what requests do. */
#define M64 "mem=64M zones=i386 nr_cpus=2 percpu_pages=0 kswapd=0"

#endif
