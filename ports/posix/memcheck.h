/* SPDX-License-Identifier: MIT */
/*
 * valgrind's requests, which cost nothing outside of it; without its header they are none, and it is never
 * there. Not installed.
 */
#ifndef PORT_MEMCHECK_H
#define PORT_MEMCHECK_H

#include "posix.h"

#if __has_include(<valgrind/memcheck.h>)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#include <valgrind/memcheck.h>
#pragma GCC diagnostic pop
#else
#define RUNNING_ON_VALGRIND				     0
#define VALGRIND_CREATE_BLOCK(p, n, s)			     0
#define VALGRIND_DISCARD(b)				     (void)(b)
#define VALGRIND_CREATE_MEMPOOL(p, r, z)		     (void)0
#define VALGRIND_DESTROY_MEMPOOL(p)			     (void)0
#define VALGRIND_MEMPOOL_FREE(b, p)			     (void)0
#define VALGRIND_MAKE_MEM_NOACCESS(p, n)		     (void)0
#define VALGRIND_MAKE_MEM_DEFINED(p, n)			     (void)0
#define VALGRIND_MAP_IP_TO_SRCLOC(p, s)			     (void)(s)
#define VALGRIND_DO_CLIENT_REQUEST_EXPR(d, r, a, b, c, e, f) ((void)(r), d)
enum { VG_USERREQ__MEMPOOL_ALLOC, VG_USERREQ__MAKE_MEM_UNDEFINED };
#endif

/* origin.c: makes a request, which is its number and five words. */
typedef uintptr_t port_origin_fn(const uintptr_t *request);
port_origin_fn port_origin_nameless;
/* One that memcheck calls by that name, for ever, so to be asked once for each. If the host refuses, the nameless. */
port_origin_fn *port_origin(const char *name);

#endif
