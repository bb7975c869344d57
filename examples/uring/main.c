/* SPDX-License-Identifier: MIT */
/*
 * uring: reads a file through io_uring into memory of zone DMA, with O_DIRECT and fixed buffers, and
 * compares every byte with what pread() says. The first reading is timed, the second compared.
 *
 *	uring [--zone=16M] [--block=64K] [--depth=16] [FILE]
 *
 * Without FILE it makes one of 64 MiB in the working folder, and removes it.
 *
 * Exit status: 0 all the same, 1 not, 2 usage, 3 the host has no io_uring, or no O_DIRECT here.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <kmem/stat.h>
#include "dma_ring.h"

enum { DEPTH_MAX = 256, MADE_BYTES = 64 << 20, ALIGN = 4096 };

struct reading {
	int fd, plain; /* with O_DIRECT; without */
	uint64_t size;
	unsigned int block, depth;
	size_t zone;
	struct dma_ring dma;
	void *check; /* a block as pread() gives it; NULL: not compared */
	unsigned long wrong;
};

/* One request under way, and its buffer. */
struct request {
	void *buf;
	uint64_t offset;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static unsigned int length_at(const struct reading *r, uint64_t offset)
{
	return r->size - offset < r->block ? (unsigned int)(r->size - offset) : r->block;
}

static void request_done(struct reading *r, const struct request *q, int res)
{
	unsigned int len = length_at(r, q->offset);

	if (res != (int)len) {
		fprintf(stderr, "uring: read of %u bytes at %llu: %s\n", len,
			(unsigned long long)q->offset, res < 0 ? strerror(-res) : "short");
		r->wrong++;
		return;
	}
	if (!r->check)
		return;
	if (pread(r->plain, r->check, len, (off_t)q->offset) != (ssize_t)len ||
	    memcmp(r->check, q->buf, len) != 0) {
		fprintf(stderr, "uring: DIFFERENT BYTES at %llu\n", (unsigned long long)q->offset);
		r->wrong++;
	}
}

/* The whole file, depth blocks at a time. Seconds. */
static double read_all(struct reading *r, struct request *q)
{
	unsigned int under_way = 0, idle = r->depth;
	struct request *stack[DEPTH_MAX];
	double begin = now();
	uint64_t next = 0;

	for (unsigned int i = 0; i < r->depth; i++)
		stack[i] = &q[i];
	while (next < r->size || under_way) {
		struct io_uring_cqe *cqe;
		int rc;

		while (next < r->size && idle) {
			struct request *one = stack[--idle];

			one->offset = next;
			if (!dma_ring_read(&r->dma, r->fd, one->buf, r->block, next, one))
				abort(); /* the ring has depth entries */
			next += r->block;
			under_way++;
		}
		rc = io_uring_submit_and_wait(&r->dma.ring, 1);
		if (rc < 0 && rc != -EINTR) {
			fprintf(stderr, "uring: submit: %s\n", strerror(-rc));
			exit(1);
		}
		while (io_uring_peek_cqe(&r->dma.ring, &cqe) == 0) {
			struct request *one = io_uring_cqe_get_data(cqe);

			request_done(r, one, cqe->res);
			io_uring_cqe_seen(&r->dma.ring, cqe);
			stack[idle++] = one;
			under_way--;
		}
	}
	return now() - begin;
}

static void print_zone(const struct reading *r)
{
	const struct kmem_stat_zone *z = &kmem_stat_get()->zone[KMEM_ZONE_DMA];

	printf("zone DMA: %llu pages, %llu free; %u ranges of 4 MiB registered, %u refused\n",
	       (unsigned long long)z->managed, (unsigned long long)z->free, r->dma.registered,
	       r->dma.refused);
}

/* Status of the program. */
static int run(struct reading *r)
{
	struct request q[DEPTH_MAX] = {0};
	unsigned int got = 0;
	double seconds;

	while (got < r->depth && (q[got].buf = kmalloc(r->block, GFP_KERNEL | GFP_DMA)))
		got++;
	if (got < r->depth) {
		fprintf(stderr, "uring: %u of %u buffers: %s\n", got, r->depth,
			r->dma.error ? dma_ring_why(r->dma.error) : "zone DMA is too small");
		r->wrong++;
	} else {
		seconds = read_all(r, q);
		printf("%llu bytes in blocks of %u, %u at a time: %.2f s, %.0f MiB/s\n",
		       (unsigned long long)r->size, r->block, r->depth, seconds,
		       (double)r->size / seconds / (1 << 20));
		r->check = malloc(r->block);
		read_all(r, q);
		print_zone(r);
		free(r->check);
	}
	while (got)
		kfree(q[--got].buf);
	return r->wrong ? 1 : 0;
}

/* ---- The file, and the command line ------------------------------------------------------------- */

static int file_make(char *name)
{
	unsigned char block[ALIGN];
	int fd = mkstemp(name);

	for (unsigned long at = 0; fd >= 0 && at < MADE_BYTES; at += sizeof(block)) {
		for (size_t i = 0; i < sizeof(block); i++)
			block[i] = (unsigned char)((at + i) * 2654435761u >> 13);
		if (write(fd, block, sizeof(block)) != (ssize_t)sizeof(block)) {
			perror("uring: making a file");
			exit(3);
		}
	}
	if (fd >= 0)
		fsync(fd);
	return fd;
}

/* Reopens it with O_DIRECT, and asks for its size. 0, or the status to end with. */
static int file_open(struct reading *r, const char *name)
{
	struct stat st;

	r->plain = open(name, O_RDONLY | O_CLOEXEC);
	if (r->plain < 0 || fstat(r->plain, &st) != 0) {
		fprintf(stderr, "uring: %s: %s\n", name, strerror(errno));
		return 2;
	}
	r->size = (uint64_t)st.st_size;
	r->fd = open(name, O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (r->fd < 0) {
		fprintf(stderr, "uring: %s: no O_DIRECT on this file system: %s\n", name,
			strerror(errno));
		return 3;
	}
	return 0;
}

/* "64K", "16M"; 0 if it is none. */
static size_t size_parse(const char *s)
{
	char *end;
	unsigned long n = strtoul(s, &end, 10);

	if (*end == 'K' || *end == 'M')
		n <<= *end++ == 'K' ? 10 : 20;
	return *end ? 0 : n;
}

static int usage(void)
{
	fprintf(stderr, "usage: uring [--zone=16M] [--block=64K] [--depth=16] [FILE]\n");
	return 2;
}

static bool options(struct reading *r, int argc, char **argv, const char **file)
{
	for (int i = 1; i < argc; i++) {
		if (!strncmp(argv[i], "--zone=", 7))
			r->zone = size_parse(argv[i] + 7);
		else if (!strncmp(argv[i], "--block=", 8))
			r->block = (unsigned int)size_parse(argv[i] + 8);
		else if (!strncmp(argv[i], "--depth=", 8))
			r->depth = (unsigned int)size_parse(argv[i] + 8);
		else if (argv[i][0] == '-' || *file)
			return false;
		else
			*file = argv[i];
	}
	return r->zone && r->block >= ALIGN && r->block % ALIGN == 0 && r->block <= 4 << 20 &&
	       r->depth && r->depth <= DEPTH_MAX;
}

int main(int argc, char **argv)
{
	struct reading r = {.zone = 16 << 20, .block = 64 << 10, .depth = 16};
	char made[] = "uring.XXXXXX", cmdline[64];
	const char *file = NULL;
	int status, rc;

	if (!options(&r, argc, argv, &file))
		return usage();
	rc = dma_ring_start(&r.dma, r.depth, r.zone);
	if (rc) {
		fprintf(stderr, "uring: %s\n", dma_ring_why(rc));
		return 3;
	}
	if (!file && close(file_make(made)) != 0) {
		perror("uring: making a file");
		return 3;
	}
	status = file_open(&r, file ? file : made);
	if (!file)
		unlink(made);
	if (status)
		return status;
	snprintf(cmdline, sizeof(cmdline), "mem=%zuM zones=dma:%zuM,normal:rest",
		 (r.zone >> 20) + 32, r.zone >> 20);
	if (kmem_boot(cmdline) != 0) {
		fprintf(stderr, "uring: %s\n", kmem_boot_error());
		return 3;
	}
	status = run(&r);
	if (kmem_shutdown() || r.dma.registered != r.dma.released) {
		fprintf(stderr, "uring: %u ranges registered, %u released\n", r.dma.registered,
			r.dma.released);
		status = 1;
	}
	printf("%s\n", status ? "NOT THE SAME" : "every byte is the same");
	dma_ring_stop(&r.dma);
	return status;
}
