/* SPDX-License-Identifier: MIT */
/*
 * The program's side of kmem sweep (kmem/sweep.h, kmem-sweep(1)).
 *
 *	trunk ----1----2----3----4---> its own end	counts failable requests, fails none
 *	          |    |    |    |
 *	         run  run  run  run			a copy each, in which that one request fails
 *
 * A run belongs to the command, which hears how it ends: the trunk clones a process without a
 * signal, that one forks the run and is gone, and the command is the orphan's reaper. So the trunk's
 * own waiting for its own children sees none of it.
 *
 * A process can be copied where fork copies all of it: one thread, no page of HIGHMEM (a file that
 * both would share), and outside of sections and handlers. Elsewhere the run is marked refused, and
 * the command starts the program anew for it. Files are shared by a copy as well: regular ones are
 * opened anew at the same place, so that reading is each process's own; what is written meets.
 *
 * The process's own children take no part. Nothing here allocates, and a request made in here passes.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/single_threaded.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <kmem/sweep.h>
#include "posix.h"

enum { FDS = 256 };
enum sweep_mode { SWEEP_OFF, SWEEP_FORK, SWEEP_ONE, SWEEP_RUN };

static struct kmem_sweep *sweep;
static struct kmem_sweep_run *own; /* this process's: the trunk's, or its run's once there is one */
static enum sweep_mode mode;
static uint64_t only, requests;
static pid_t own_pid;
static _Thread_local bool busy __attribute__((tls_model("initial-exec")));

/* ---- The start ------------------------------------------------------------------------------ */

static struct kmem_sweep *sweep_map(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct kmem_sweep *s = MAP_FAILED;
	struct stat st;

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && st.st_size >= (off_t)sizeof(*s))
		s = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (s == MAP_FAILED)
		return NULL;
	return s->magic == KMEM_SWEEP_MAGIC ? s : NULL;
}

static void sweep_begin(const char *text)
{
	const char *what = strrchr(text, ' ');
	char path[64] = "";

	if (!what || (size_t)(what - text) >= sizeof(path))
		return;
	memcpy(path, text, (size_t)(what - text));
	sweep = sweep_map(path);
	if (!sweep)
		return;
	own = &sweep->trunk;
	own_pid = getpid();
	mode = strcmp(what, " fork") == 0 ? SWEEP_FORK : SWEEP_ONE;
	only = mode == SWEEP_ONE ? strtoull(what, NULL, 10) : 0;
	if (only)
		own = kmem_sweep_run(sweep, only);
}

/* ---- What is told ---------------------------------------------------------------------------- */

/* The module is noted where it is new; a place taken twice at once is no harm. */
static void sweep_note_module(const void *pc)
{
	Dl_info info = {0};
	uint32_t n = __atomic_load_n(&sweep->nr_modules, __ATOMIC_ACQUIRE);

	if (!dladdr(pc, &info) || !info.dli_fname)
		return;
	for (uint32_t i = 0; i < n; i++)
		if (sweep->module[i].base == (uintptr_t)info.dli_fbase)
			return;
	if (n == KMEM_SWEEP_MODULES)
		return;
	sweep->module[n].base = (uintptr_t)info.dli_fbase;
	strncpy(sweep->module[n].path, info.dli_fname, KMEM_SWEEP_PATH - 1);
	__atomic_store_n(&sweep->nr_modules, n + 1, __ATOMIC_RELEASE);
}

static void sweep_tell(struct kmem_sweep_run *run)
{
	void *pc[KMEM_SWEEP_FRAMES];
	unsigned int n = port_backtrace(pc, KMEM_SWEEP_FRAMES);

	for (unsigned int i = 0; i < n; i++) {
		run->pc[i] = (uintptr_t)pc[i];
		if (!port_in_section() && port_context() == PORT_TASK)
			sweep_note_module(pc[i]);
	}
	run->depth = n;
}

void port_fault_end(unsigned long leaks, unsigned long misuses)
{
	if (!sweep || getpid() != own_pid)
		return;
	own->leaks += leaks;
	own->misuses = misuses;
	own->ended++;
}

/* ---- Copies ----------------------------------------------------------------------------------- */

/* Its reading moves no other's place in the file. */
static void sweep_own_files(void)
{
	for (int fd = 0; fd < FDS; fd++) {
		char path[32] = "/proc/self/fd/";
		int flags = fcntl(fd, F_GETFL), cloexec = fcntl(fd, F_GETFD), copy, i = 14;
		struct stat st;

		if (flags < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
			continue;
		if (fd >= 100)
			path[i++] = (char)('0' + fd / 100);
		if (fd >= 10)
			path[i++] = (char)('0' + fd / 10 % 10);
		path[i] = (char)('0' + fd % 10);
		copy = open(path, flags & ~(O_CREAT | O_EXCL | O_TRUNC | O_NOFOLLOW));
		if (copy < 0)
			continue;
		lseek(copy, lseek(fd, 0, SEEK_CUR), SEEK_SET);
		dup3(copy, fd, cloexec & FD_CLOEXEC ? O_CLOEXEC : 0);
		close(copy);
	}
}

/* Only the trunk is to be heard, and only it reads what cannot be read twice. */
static void sweep_be_quiet(void)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct stat st;

	for (int fd = 0; null >= 0 && fd <= 2; fd++)
		if (fd > 0 || (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode)))
			dup2(null, fd);
	if (null > 2)
		close(null);
}

static void sweep_be_run(uint64_t n)
{
	struct kmem_sweep_run *run = kmem_sweep_run(sweep, n);

	run->leaks = own->leaks;
	run->misuses = own->misuses;
	own = run;
	own_pid = getpid();
	mode = SWEEP_RUN;
	sweep_own_files();
	sweep_be_quiet();
	sweep_tell(run);
}

static void sweep_take_token(void)
{
	const struct timespec second = {1, 0};

	for (;;) {
		uint32_t t = __atomic_load_n(&sweep->tokens, __ATOMIC_RELAXED);

		if (t && __atomic_compare_exchange_n(&sweep->tokens, &t, t - 1, false,
						     __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
			return;
		if (!t)
			(void)syscall(SYS_futex, &sweep->tokens, FUTEX_WAIT, 0, &second, NULL, 0);
	}
}

/* Between the two: notes the run's pid, and the orphan is the command's from its exit on. */
static bool sweep_fork(uint64_t n)
{
	pid_t run = fork();

	if (run == 0) {
		sweep_be_run(n);
		return true;
	}
	if (run > 0)
		__atomic_store_n(&kmem_sweep_run(sweep, n)->pid, (uint32_t)run, __ATOMIC_RELEASE);
	_exit(run < 0);
}

/* In the run true; in the trunk, when the run is on its way, false. */
static bool sweep_copy(uint64_t n)
{
	int status = 1;
	pid_t mid;

	sweep_take_token();
	mid = (pid_t)syscall(SYS_clone, 0, NULL, NULL, NULL, NULL);
	if (mid == 0)
		return sweep_fork(n);
	while (mid > 0 && waitpid(mid, &status, (int)__WCLONE) < 0 && errno == EINTR)
		continue;
	if (mid < 0 || status != 0) {
		__atomic_store_n(&kmem_sweep_run(sweep, n)->refused, 1u, __ATOMIC_RELEASE);
		__atomic_fetch_add(&sweep->tokens, 1u, __ATOMIC_RELEASE);
	}
	return false;
}

static bool sweep_may_copy(void)
{
	return !__atomic_load_n(&sweep->refuse, __ATOMIC_RELAXED) && __libc_single_threaded &&
	       !port_in_section() && port_context() == PORT_TASK && !port_high_any();
}

/* ---- The decision ----------------------------------------------------------------------------- */

static bool sweep_at(uint64_t n)
{
	if (mode == SWEEP_ONE) {
		if (n == only)
			sweep_tell(own);
		return n == only;
	}
	if (n < sweep->from || (n - sweep->from) % sweep->every ||
	    (n - sweep->from) / sweep->every >= sweep->room)
		return false;
	if (sweep_may_copy())
		return sweep_copy(n);
	__atomic_store_n(&kmem_sweep_run(sweep, n)->refused, 1u, __ATOMIC_RELEASE);
	return false;
}

static bool sweep_decide(void)
{
	int saved = errno;
	uint64_t n;
	bool fails;

	if (mode == SWEEP_RUN || busy || getpid() != own_pid)
		return false;
	busy = true;
	n = __atomic_add_fetch(&requests, 1, __ATOMIC_RELAXED);
	if (only == 0)
		__atomic_store_n(&sweep->requests, n, __ATOMIC_RELAXED);
	fails = sweep_at(n);
	busy = false;
	errno = saved;
	return fails;
}

port_fault_fn port_fault(void)
{
	const char *text = secure_getenv("KMEM_SWEEP");

	if (!sweep && text) {
		sweep_begin(text);
		unsetenv("KMEM_SWEEP");
	}
	return sweep ? sweep_decide : NULL;
}
