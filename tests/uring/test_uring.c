/* SPDX-License-Identifier: MIT */
/*
 * A zone DMA that a device reaches: io_uring reads by O_DIRECT into what kmalloc(GFP_DMA) returns, and
 * into no other memory of the machine (examples/uring).
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../support.h"

#if TEST_URING
#include "../../examples/uring/dma_ring.h"

enum { FILE_BYTES = 8 << 20, ZONE_BYTES = 16 << 20, SECTION = 4 << 20 };
#define MACHINE "mem=48M zones=dma:16M,normal:rest nr_cpus=2 percpu_pages=0"

static struct dma_ring dma;
static int file = -1; /* with O_DIRECT */
static unsigned char *contents;

static int file_in(const char *folder)
{
	char name[300];
	int fd, direct;

	snprintf(name, sizeof(name), "%s/kmem-uring.XXXXXX", folder);
	fd = mkstemp(name);
	if (fd < 0)
		return -1;
	if (write(fd, contents, FILE_BYTES) != FILE_BYTES || fsync(fd) != 0)
		diag("%s: %s", name, strerror(errno));
	direct = open(name, O_RDONLY | O_DIRECT);
	close(fd);
	unlink(name);
	return direct;
}

/* A file system that has no O_DIRECT (some of those in memory) cannot do. */
static void start(void)
{
	const char *tmp = getenv("TMPDIR");
	int rc = dma_ring_start(&dma, 8, ZONE_BYTES);

	if (rc == -ENOSYS || rc == -EPERM)
		skip_loudly(dma_ring_why(rc));
	is(rc, 0, "%s", rc ? dma_ring_why(rc) : "ring");
	contents = malloc(FILE_BYTES);
	for (size_t i = 0; i < FILE_BYTES; i++)
		contents[i] = (unsigned char)tap_rand();
	file = file_in(tmp ? tmp : "/tmp");
	if (file < 0)
		file = file_in("build");
	if (file < 0)
		skip_loudly("no file system with O_DIRECT: TMPDIR, and build/");
	machine_start(MACHINE);
}

static void stop(void)
{
	machine_stop();
	is(dma.registered, dma.released, "all that was registered is released");
	dma_ring_stop(&dma);
	close(file);
	free(contents);
}

/* The result of the one read. slot -1: the one of the buffer. */
static int read_into(void *buf, unsigned int len, uint64_t offset, int slot)
{
	struct io_uring_cqe *cqe = NULL;
	int res;

	if (slot < 0) {
		ok(dma_ring_read(&dma, file, buf, len, offset, buf), "queued");
	} else {
		struct io_uring_sqe *sqe = io_uring_get_sqe(&dma.ring);

		io_uring_prep_read_fixed(sqe, file, buf, len, offset, slot);
		io_uring_sqe_set_data(sqe, buf);
	}
	is(io_uring_submit_and_wait(&dma.ring, 1), 1, "submitted");
	if (io_uring_peek_cqe(&dma.ring, &cqe) != 0)
		return -1;
	is_ptr(io_uring_cqe_get_data(cqe), buf, "its completion");
	res = cqe->res;
	io_uring_cqe_seen(&dma.ring, cqe);
	return res;
}

TEST(every_byte_arrives_in_buffers_of_all_sizes)
{
	start();
	for (unsigned int size = 4096; size <= SECTION; size *= 2) {
		for (uint64_t at = 0; at + size <= FILE_BYTES && at < 4 * (uint64_t)size;
		     at += size) {
			void *buf = kmalloc(size, GFP_KERNEL | GFP_DMA);

			ok(buf != NULL, "%u bytes", size);
			is(read_into(buf, size, at, -1), size, "read");
			ok(!memcmp(buf, contents + at, size), "%u bytes at %llu", size,
			   (unsigned long long)at);
			kfree(buf);
		}
	}
	ok(dma.registered > 0, "%u ranges", dma.registered);
	stop();
}

TEST(other_memory_is_no_fixed_buffer)
{
	void *reached, *other;

	start();
	reached = kmalloc(65536, GFP_KERNEL | GFP_DMA);
	other = kmalloc(65536, GFP_KERNEL);
	ok(reached && other);
	is_str(page_zone_name(virt_to_page(other)), "Normal");
	for (int slot = 0; slot < (int)dma.nr_slots; slot++)
		is(read_into(other, 65536, 0, slot), -EFAULT, "GFP_KERNEL in slot %d", slot);
	is(read_into(reached, 65536, 0, -1), 65536, "GFP_DMA");
	is(read_into(reached, 65536, 0, (int)dma.nr_slots - 1), -EFAULT, "in another's slot");
	kfree(reached);
	kfree(other);
	stop();
}

TEST(what_is_trimmed_is_not_registered_any_more)
{
	unsigned int live;
	void *buf;

	start();
	buf = kmalloc(65536, GFP_KERNEL | GFP_DMA);
	live = dma.registered;
	kfree(buf);
	kmem_trim();
	is(dma.released, live, "released");
	is(read_into(buf, 65536, 0, -1), -EFAULT, "the old address");
	buf = kmalloc(65536, GFP_KERNEL | GFP_DMA);
	is(dma.registered, live + 1, "registered again");
	is(read_into(buf, 65536, 4096, -1), 65536, "reached");
	ok(!memcmp(buf, contents + 4096, 65536));
	kfree(buf);
	stop();
}

/* Nobody: who may lock any amount has no limit to reach. */
static int limited(void)
{
	const struct rlimit small = {1 << 20, 1 << 20};
	void *p, *q;
	int bad = 0;

	if (setrlimit(RLIMIT_MEMLOCK, &small) != 0 ||
	    (geteuid() == 0 && setresuid(65534, 65534, 65534)))
		return 100;
	if (dma_ring_start(&dma, 8, ZONE_BYTES) != 0)
		return 101;
	machine_start(MACHINE);
	p = kmalloc(65536, GFP_DMA | __GFP_NOWARN);
	q = kmalloc(65536, GFP_KERNEL);
	bad |= p ? 1 : 0;
	bad |= !q ? 2 : 0;
	bad |= dma.error != -ENOMEM || !strstr(dma_ring_why(dma.error), "RLIMIT_MEMLOCK") ? 4 : 0;
	kfree(q);
	kfree(p);
	bad |= kmem_check() || kmem_shutdown() || dma.registered || !dma.refused ? 8 : 0;
	return bad;
}

TEST(a_limit_of_locked_memory_is_named)
{
	int status = 0;
	pid_t pid;

	if (dma_ring_start(&dma, 8, ZONE_BYTES) != 0)
		skip_loudly("there is no io_uring");
	dma_ring_stop(&dma);
	pid = fork();
	if (pid == 0)
		_exit(limited());
	waitpid(pid, &status, 0);
	if (WEXITSTATUS(status) >= 100)
		skip_loudly("no ring for a user without privileges here");
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%#x", (unsigned int)status);
}

#else

TEST(io_uring_is_not_tried)
{
	skip_loudly("liburing-dev is not installed for this architecture");
}

#endif
