/* SPDX-License-Identifier: MIT */
/* Built instead of trace_dat.c where libtracecmd or libtraceevent is missing. */
#include "trace.h"

const bool trace_dat_supported = false;

const char *trace_read_dat(struct trace *t, const char *path)
{
	(void)t;
	(void)path;
	return "this build of kmem cannot read trace.dat";
}
