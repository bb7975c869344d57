/* SPDX-License-Identifier: MIT */
/*
 * A recording of a kernel's allocations, read into memory: what kmem replay works on.
 *
 * Whatever the file is (trace.dat, the text of trace-cmd, perf or tracefs), it becomes one array of
 * 32-byte events in the order of time. The page level speaks of frames (addr is the pfn), the slab
 * level of addresses.
 */
#ifndef KMEM_TRACE_READ_H
#define KMEM_TRACE_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum trace_kind {
	TRACE_KMALLOC,
	TRACE_CACHE_ALLOC,
	TRACE_KFREE,
	TRACE_CACHE_FREE,
	TRACE_PAGE_ALLOC,
	TRACE_PAGE_FREE,
	TRACE_NR_KINDS
};

/* Where the event happened, from the latency flags of the recording. */
enum trace_ctx {
	TRACE_SOFTIRQ = 1,
	TRACE_HARDIRQ = 2,
	TRACE_NMI = 4,
	TRACE_IRQS_OFF = 8,
	TRACE_NO_PREEMPT = 16,
};

enum { TRACE_NO_CACHE = 0xffff, TRACE_NAME_MAX = 64, TRACE_MAX_CPUS = 4096 };

struct trace_event {
	uint64_t addr;	     /* 0: NULL, or a failed allocation */
	uint32_t gfp;	     /* this library's (= Linux 6.18's) bits */
	uint32_t req, alloc; /* bytes asked for, bytes the recorded kernel gave */
	uint16_t cache, cpu; /* index into trace.cache */
	uint8_t kind, ctx, order, pad[5];
};

struct trace_cache_name {
	char text[TRACE_NAME_MAX];
};

struct trace {
	struct trace_event *ev;
	size_t nr, cap;
	struct trace_cache_name *cache;
	unsigned int nr_caches, nr_cpus;
	uint64_t other;	      /* events of other kinds, and lines that are none */
	uint64_t bad;	      /* allocation events that could not be understood */
	uint64_t lost;	      /* events the recording says it dropped */
	uint64_t gfp_unknown; /* events whose mask has a name this library does not know */
	uint64_t first_ns, last_ns;
	char first_bad[256];
	char format[48];
};

/*
 * Reads the file ("-": standard input). 0, or an exit status after a message that names the file.
 */
int trace_read(struct trace *t, const char *path);
void trace_free(struct trace *t);

/* For the readers. */
void trace_add(struct trace *t, const struct trace_event *ev, uint64_t ns);
void trace_add_bad(struct trace *t, const char *what);
/* Index of the name, TRACE_NO_CACHE if there are too many or it is empty. */
uint16_t trace_cache(struct trace *t, const char *name, size_t len);
/* Names joined by '|', or a number; unknown names are dropped and counted in t. */
uint32_t trace_gfp(struct trace *t, const char *text, size_t len);
/* The kind of a tracepoint by its name; TRACE_NR_KINDS if it is none of ours. */
enum trace_kind trace_kind_of(const char *name, size_t len);
extern const char *const trace_kind_name[TRACE_NR_KINDS];

/*
 * The two readers. trace_read_dat runs in a child process (the library it uses was not written for
 * broken files): NULL, or what is wrong with the file.
 */
const char *trace_read_dat(struct trace *t, const char *path);
/* NULL, or what is wrong with the file's shape; looks at heads only. */
const char *trace_check_dat(int fd);
/* Whether this build can read trace.dat at all. */
extern const bool trace_dat_supported;
const char *trace_read_text(struct trace *t, int fd);

#endif
