/* SPDX-License-Identifier: MIT */
/*
 * One misuse a program, named after it. Each must be reported with its code and the facts of what
 * was misused, and survived: the machine still proves its invariants, still serves, loses nothing.
 */
#ifndef KMEM_TEST_MISUSE_H
#define KMEM_TEST_MISUSE_H

#include "../support.h"

/* needle: what the report must say of the cache or page. */
#define MISUSE(cmdline, code, needle)                                                    \
	static void misuse(void);                                                        \
	TEST(is_reported_and_survived)                                                   \
	{                                                                                \
		void *p;                                                                 \
                                                                                         \
		machine_start(cmdline);                                                  \
		misuse();                                                                \
		ok(reports_of(code) >= 1, #code " reported %u times", reports_of(code)); \
		ok(log_count(needle) >= 1, "the report says \"%s\"", needle);            \
		if (log_count(needle) == 0)                                              \
			fputs(support_log, stderr);                                      \
		p = kmalloc(100, GFP_KERNEL);                                            \
		ok(p != NULL, "the machine still serves");                               \
		kfree(p);                                                                \
		machine_stop();                                                          \
	}                                                                                \
	static void misuse(void)

#endif
