/* SPDX-License-Identifier: MIT */
/* The summary of a machine that a person reads: zones as bars, the busiest caches, events. */
#ifndef KMEM_TOOLS_SUMMARY_H
#define KMEM_TOOLS_SUMMARY_H

#include <stddef.h>
#include <stdint.h>
#include <kmem/stat.h>

/*
 * Writes the summary as text, at most len bytes with the terminator; returns the length that the
 * whole text has, as snprintf does. Reads st alone, allocates nothing, keeps nothing.
 */
size_t kmem_summary(const struct kmem_stat *st, char *buf, size_t len);

/* "512 B", "1.5 KiB", "64.0 MiB": at most 16 characters with the terminator. Returns buf. */
char *kmem_summary_size(uint64_t bytes, char *buf);

#endif
