/* SPDX-License-Identifier: MIT */
#include "misuse.h"

static unsigned long nothing(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	return 0;
}

MISUSE("mem=16M", KMEM_MISUSE_SHRINKER, "(inodes): a callback is missing")
{
	struct shrinker *s = shrinker_alloc(0, "inodes");

	s->count_objects = nothing;
	shrinker_register(s);
	shrinker_free(s);
}
