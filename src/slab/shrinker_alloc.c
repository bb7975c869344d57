/* SPDX-License-Identifier: MIT */
/* Shrinkers in memory of the machine's: what the reclaim floor cannot allocate for itself. */
#include "slab/slab.h"

struct shrinker *shrinker_alloc(unsigned int flags, const char *fmt, ...)
{
	struct shrinker *s = kzalloc(sizeof(*s), GFP_KERNEL);
	va_list ap;

	if (!s)
		return NULL;
	s->flags = flags;
	s->seeks = DEFAULT_SEEKS;
	va_start(ap, fmt);
	fmt_vsnprintf(s->name, sizeof(s->name), fmt ? fmt : "", ap);
	va_end(ap);
	return s;
}

void shrinker_free(struct shrinker *s)
{
	unregister_shrinker(s);
	kfree(s);
}
