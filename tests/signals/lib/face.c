/* SPDX-License-Identifier: MIT */
/*
 * The malloc face over the program's own core and under names of its own, so that it can be a victim
 * and a shape without being the program's malloc.
 */
#include <malloc.h>
#include <stdlib.h>

#define malloc(...)		face_malloc(__VA_ARGS__)
#define free(...)		face_free(__VA_ARGS__)
#define calloc(...)		face_calloc(__VA_ARGS__)
#define realloc(...)		face_realloc(__VA_ARGS__)
#define reallocarray(...)	face_reallocarray(__VA_ARGS__)
#define aligned_alloc(...)	face_aligned_alloc(__VA_ARGS__)
#define memalign(...)		face_memalign(__VA_ARGS__)
#define posix_memalign(...)	face_posix_memalign(__VA_ARGS__)
#define valloc(...)		face_valloc(__VA_ARGS__)
#define pvalloc(...)		face_pvalloc(__VA_ARGS__)
#define cfree(...)		face_cfree(__VA_ARGS__)
#define free_sized(...)		face_free_sized(__VA_ARGS__)
#define free_aligned_sized(...) face_free_aligned_sized(__VA_ARGS__)
#define malloc_usable_size(...) face_usable_size(__VA_ARGS__)
#define malloc_trim(...)	face_trim(__VA_ARGS__)
#define malloc_info(...)	face_info(__VA_ARGS__)
#define malloc_stats(...)	face_stats(__VA_ARGS__)
#define mallopt(...)		face_mallopt(__VA_ARGS__)
#define mallinfo(...)		face_mallinfo(__VA_ARGS__)
#define mallinfo2(...)		face_mallinfo2(__VA_ARGS__)
#define __libc_malloc(...)	face_libc_malloc(__VA_ARGS__)
#define __libc_free(...)	face_libc_free(__VA_ARGS__)
#define __libc_calloc(...)	face_libc_calloc(__VA_ARGS__)
#define __libc_realloc(...)	face_libc_realloc(__VA_ARGS__)
#define __libc_memalign(...)	face_libc_memalign(__VA_ARGS__)
#define __libc_valloc(...)	face_libc_valloc(__VA_ARGS__)
#define __libc_pvalloc(...)	face_libc_pvalloc(__VA_ARGS__)
/* No header declares those that no other file of the program uses. */
#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#include "../../../malloc/classes.c"
#include "../../../malloc/growth.c"
#include "../../../malloc/malloc.c"
#include "../../../malloc/run.c"

void track_alloc(const void *p, size_t size)
{
	(void)p;
	(void)size;
}

void track_free(const void *p)
{
	(void)p;
}

void track_failure(void)
{
}

void report_to_stderr(void)
{
}
