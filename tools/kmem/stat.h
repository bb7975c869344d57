/* SPDX-License-Identifier: MIT */
/* kmem stat: what its files share. */
#ifndef KMEM_STAT_VERB_H
#define KMEM_STAT_VERB_H

#include <stdio.h>

#include <kmem/stat.h>

/* The whole snapshot as one JSON object; the schema is in kmem-stat(1). */
void stat_print_json(const struct kmem_stat *st, FILE *out);

#endif
