/* SPDX-License-Identifier: MIT */
#include "misuse.h"

static unsigned long nothing(struct shrinker *s, struct shrink_control *sc)
{
	(void)s;
	(void)sc;
	return 0;
}

MISUSE("mem=16M", KMEM_MISUSE_SHRINKER, "(dentries): is registered already")
{
	static struct shrinker s = {.count_objects = nothing, .scan_objects = nothing};

	is(register_shrinker(&s, "dentries"), 0, "once");
	is(register_shrinker(&s, "dentries"), -22, "refused");
	unregister_shrinker(&s);
}
