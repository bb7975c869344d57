/* SPDX-License-Identifier: MIT */
/* What the files of the posix port share. Not installed. */
#ifndef PORT_POSIX_H
#define PORT_POSIX_H

#include <errno.h>
#include <kmem/config.h>
#include <kmem/port.h>

/* The port's numbers of errors, as port.h has them. */
enum { PORT_ENOMEM = 12, PORT_EINVAL = 22, PORT_ENOSYS = 38 };

/*
 * Verbs are called in the middle of programs that look at errno after their own calls, so each verb
 * that may touch it puts it back:
 *	int saved = errno; ... errno = saved;
 */

/* mem.c: an anonymous mapping without access, or readable and writable; NULL if refused. */
void *port_map(size_t bytes, bool access);
/*
 * A memfd of the size, close-on-exec, at a number out of the way of programs that count on low ones.
 * -1 if the host refuses it.
 */
int port_memfd(const char *name, uint64_t bytes);

/* window.c: frames outside the direct map. */
int port_high_start(uint64_t low_bytes, uint64_t high_bytes);
void port_high_stop(void);
int port_high_commit(uint64_t frame, unsigned long n);
void port_high_decommit(uint64_t frame, unsigned long n);
bool port_high_any(void); /* does the machine have such frames? */
/* Are these n frames, by their numbers, outside the direct map? Shown at an address; false: refused. */
bool port_high_has(unsigned long pfn, unsigned int n);
bool port_high_show(void *va, unsigned long pfn, unsigned int n);
/* Takes access away. */
void port_hide(void *va, size_t bytes);

/* vmap.c */
void port_vmap_start(uint64_t mem_bytes);
void port_vmap_stop(void);

/* meta.c: the core's tables. */
void port_meta_stop(void);
/* In a fork's child: a memfd of its own behind the statistics, with the contents of the moment. */
void port_stat_after_fork(void);

/* areas.c: how much address space they take; back to zero. */
size_t port_areas_bytes(void);
void port_areas_stop(void);

/* thread.c: nr 0 means the host's. */
void port_cpus_start(unsigned int nr);

/* sys.c */
void port_random_seed(uint64_t seed);

#endif
