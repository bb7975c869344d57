/* SPDX-License-Identifier: MIT */
/*
 * Is this trace.dat whole? Since version 7 the file is a header and then sections one behind the
 * other, each with its length, so a cut shows as a section that ends behind the end of the file.
 *
 *	0x17 0x08 0x44 "tracing"  version NUL  endian  long-size  page-size(4)
 *	compression NUL  its version NUL  offset of the first options section (8)
 *	{ id(2) flags(2) string(4) size(8)  data... } ...
 *
 * Version 6 has no such chain; there the library finds the cut.
 */
#include "cmd.h"
#include "trace.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAGIC_LEN = 10, HEAD_MAX = 512, SECTION_HEAD = 16 };

static uint64_t get(const unsigned char *p, unsigned int bytes, bool big)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < bytes; i++)
		n = n << 8 | p[big ? i : bytes - 1 - i];
	return n;
}

/* Just behind the string at p; NULL if it does not end before end. */
static const unsigned char *skip_string(const unsigned char *p, const unsigned char *end)
{
	const unsigned char *nul = p && p < end ? memchr(p, 0, (size_t)(end - p)) : NULL;

	return nul ? nul + 1 : NULL;
}

static const char *walk_sections(int fd, uint64_t at, uint64_t size, bool big)
{
	static char why[128];
	unsigned char head[SECTION_HEAD];
	uint64_t len;

	for (; at < size; at += SECTION_HEAD + len) {
		if (size - at < SECTION_HEAD ||
		    pread(fd, head, sizeof(head), (off_t)at) != SECTION_HEAD)
			return "truncated or damaged trace.dat: it ends inside a section's head";
		len = get(head + 8, 8, big);
		if (len > size - at - SECTION_HEAD) {
			snprintf(why, sizeof(why),
				 "truncated or damaged trace.dat: the section at byte %llu is said "
				 "to be longer than the file",
				 (unsigned long long)at);
			return why;
		}
	}
	return NULL;
}

const char *trace_check_dat(int fd)
{
	static char why[96];
	unsigned char head[HEAD_MAX];
	ssize_t n = pread(fd, head, sizeof(head), 0);
	const unsigned char *end = head + (n > 0 ? n : 0), *p = skip_string(head + MAGIC_LEN, end);
	long version = p ? strtol((char *)head + MAGIC_LEN, NULL, 10) : 0;
	struct stat st;
	bool big;

	if (!p || end - p < 6)
		return "truncated: it ends inside the header of a trace.dat";
	if (version < 6 || version > 7) {
		snprintf(why, sizeof(why), "trace.dat of version %ld; this command knows 6 and 7",
			 version);
		return why;
	}
	big = p[0] != 0;
	if (p[0] > 1 || (p[1] != 4 && p[1] != 8))
		return "broken trace.dat: its header is damaged";
	if (version == 6)
		return NULL;
	p = skip_string(skip_string(p + 6, end), end);
	if (!p || end - p < 8 || fstat(fd, &st) != 0)
		return "truncated: it ends inside the header of a trace.dat";
	if (get(p, 8, big) >= (uint64_t)st.st_size)
		return "truncated trace.dat: its options lie behind the end of the file";
	return walk_sections(fd, (uint64_t)(p + 8 - head), (uint64_t)st.st_size, big);
}
