/* SPDX-License-Identifier: MIT */
/* The posix port against the contract of <kmem/port.h>, without a machine on top. */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>
#include "base/base.h"
#include "tap.h"

#define MIB ((uint64_t)1 << 20)

static void start(uint64_t low, uint64_t mem)
{
	struct port_plan plan = {.mem_bytes = mem, .lowmem_bytes = low, .nr_cpus = 2, .seed = 7};

	is(port_start(&plan), 0);
}

TEST(a_plan_that_makes_no_sense_is_refused)
{
	struct port_plan plan = {.mem_bytes = 16 * MIB, .lowmem_bytes = 32 * MIB};

	is(port_start(&plan), -22, "more direct map than memory");
	plan.lowmem_bytes = 16 * MIB - 1;
	is(port_start(&plan), -22, "half a page");
	plan.mem_bytes = plan.lowmem_bytes = (uint64_t)1 << 62;
	is(port_start(&plan), -12, "more than there are addresses");
	ok(port_lowmem() == NULL, "nothing is held");
	start(16 * MIB, 16 * MIB);
	port_stop();
}

TEST(frames_are_zero_once_and_unknown_after)
{
	unsigned char *low;
	struct port_range r;

	start(18 * MIB, 18 * MIB);
	low = port_lowmem();
	is((uintptr_t)low & (4 * MIB - 1), 0, "aligned to the largest block");
	is(port_ranges(&r, 1), 1);
	is(r.end, 18 * MIB);
	errno = 99;
	is(port_commit(0, 1), 1);
	is(low[0], 0);
	low[0] = 5;
	is(port_commit(0, 1), 0, "a repeat is harmless");
	is(low[0], 5);
	is(port_commit(1024, 1024 * 2), 1, "two chunks at once");
	is(port_commit(1023, 1026), 0, "some of it known");
	is(port_commit(4096, 512), 1, "the last chunk is half a one");
	is(port_commit(4096, 513), -12, "beyond the end");
	low[18 * MIB - 1] = 1;
	port_decommit(0, 1);
	is(low[0], 0, "contents are lost");
	is(errno, 99, "errno is the program's");
	port_stop();
}

TEST(high_frames_are_reached_through_windows)
{
	unsigned int slots;
	unsigned char *w;

	start(16 * MIB, 8192 * MIB);
	ok(port_window_base(&slots) && slots >= 64);
	for (unsigned long pfn = 4096; pfn < (8192 * MIB) >> PAGE_SHIFT; pfn += 300007) {
		is(port_commit(pfn, 1), 1, "pfn %lu", pfn);
		w = port_window_map(3, pfn, 1);
		ok(w != NULL && w[0] == 0, "pfn %lu", pfn);
		memcpy(w, &pfn, sizeof(pfn));
		port_window_unmap(3, 1);
	}
	for (unsigned long pfn = 4096; pfn < (8192 * MIB) >> PAGE_SHIFT; pfn += 300007) {
		w = port_window_map(9, pfn, 1);
		is(memcmp(w, &pfn, sizeof(pfn)), 0, "pfn %lu kept its contents", pfn);
		is(port_commit(pfn, 1), 0);
		port_decommit(pfn, 1);
		is(w[0] | w[1] | w[2], 0, "pfn %lu lost them", pfn);
		is(port_commit(pfn, 1), 1);
	}
	port_decommit(4096, 2);
	is(port_commit(4094, 4), 1, "across the border");
	ok(port_window_map(1, 0, 1) == NULL, "a frame of the direct map has no window");
	ok(port_window_map(1, (8192 * MIB) >> PAGE_SHIFT, 1) == NULL);
	port_stop();
}

TEST(an_unmapped_window_traps)
{
	volatile unsigned char *w;
	int status;
	pid_t pid;

	start(16 * MIB, 32 * MIB);
	is(port_commit(5000, 1), 1);
	w = port_window_map(0, 5000, 1);
	w[0] = 1;
	port_window_unmap(0, 1);
	pid = fork();
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		_exit(w[0]);
	}
	waitpid(pid, &status, 0);
	ok(WIFSIGNALED(status) || WEXITSTATUS(status) > 1, "status %#x", (unsigned int)status);
	port_stop();
}

/* Frames of both kinds, written to in place, appear in a row with their contents, and come back. */
TEST(scattered_frames_appear_in_a_row)
{
	unsigned long pfn[5] = {4100, 4101, 7, 6000, 4099};
	unsigned char *va, *w, *low;
	size_t bytes;

	start(16 * MIB, 32 * MIB);
	low = port_lowmem();
	va = port_vmap_base(&bytes);
	ok(va && bytes >= 5 * PAGE_SIZE);
	is_ptr(port_vmap_base(&bytes), va);
	for (unsigned int i = 0; i < 5; i++) {
		port_commit(pfn[i], 1);
		w = pfn[i] < 4096 ? low + pfn[i] * PAGE_SIZE : port_window_map(0, pfn[i], 1);
		w[5] = (unsigned char)(i + 1);
	}
	errno = 99;
	is(port_vmap(va, pfn, 5, true), 0);
	for (unsigned int i = 0; i < 5; i++) {
		is(va[i * PAGE_SIZE + 5], i + 1);
		va[i * PAGE_SIZE + 6] = (unsigned char)(i + 11);
	}
	port_vunmap(va, pfn, 5, true);
	is(errno, 99, "errno is the program's");
	for (unsigned int i = 0; i < 5; i++) {
		w = pfn[i] < 4096 ? low + pfn[i] * PAGE_SIZE : port_window_map(0, pfn[i], 1);
		is(w[5], i + 1);
		is(w[6], i + 11);
	}
	port_stop();
}

TEST(frames_of_the_direct_map_come_back_empty)
{
	unsigned long pfn[3] = {9, 11, 12};
	unsigned char *va, *low;
	size_t bytes;

	start(16 * MIB, 16 * MIB);
	low = port_lowmem();
	va = port_vmap_base(&bytes);
	ok(port_vmap_moves());
	port_commit(0, 16);
	for (unsigned int i = 0; i < 3; i++)
		memset(low + pfn[i] * PAGE_SIZE, 0x55, PAGE_SIZE);
	is(port_vmap(va, pfn, 3, false), PORT_VMAP_ZEROED);
	is(va[0] | va[3 * PAGE_SIZE - 1], 0);
	memset(va, 0x66, 3 * PAGE_SIZE);
	port_vunmap(va, pfn, 3, false);
	is(low[9 * PAGE_SIZE] | low[12 * PAGE_SIZE], 0);
	low[9 * PAGE_SIZE] = 1;
	port_stop();
}

static unsigned int memfds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *e;
	unsigned int n = 0;

	while (dir && (e = readdir(dir))) {
		char link[300], text[300] = "";

		snprintf(link, sizeof(link), "/proc/self/fd/%s", e->d_name);
		if (readlink(link, text, sizeof(text) - 1) > 0)
			n += strstr(text, "kmem-stat") != NULL;
	}
	if (dir)
		closedir(dir);
	return n;
}

TEST(the_statistics_are_a_file_and_a_child_has_its_own)
{
	unsigned char *stat, *private;
	int status;
	pid_t pid;

	start(16 * MIB, 16 * MIB);
	port_set_fork_hooks(NULL, NULL, NULL);
	stat = port_meta(10000, true);
	private = port_meta(100, false);
	ok(stat && private && stat[9999] == 0 && private[99] == 0);
	is(memfds(), 1);
	stat[0] = 1;
	private[0] = 1;
	pid = fork();
	if (pid == 0) {
		bool good = stat[0] == 1 && memfds() == 1;

		stat[0] = 2;
		_exit(!good);
	}
	waitpid(pid, &status, 0);
	is(status, 0, "the child starts with our contents");
	is(stat[0], 1, "the child's counting is its own");
	port_stop();
	is(memfds(), 0);
}

TEST(our_descriptor_s_number_may_be_somebody_else_s_by_now)
{
	int fd = -1;

	start(16 * MIB, 16 * MIB);
	ok(port_meta(100, true) != NULL);
	for (int i = 3; i < 2000; i++)
		close(i);
	for (int i = 3; i < 1010 && fd < 1000; i++)
		fd = open("/dev/null", O_RDONLY);
	port_stop();
	ok(fd < 0 || fcntl(fd, F_GETFD) >= 0, "port_stop closed the program's file");
}

static uint32_t word, woken;

static void sleeper(void *arg)
{
	sigset_t set;

	pthread_sigmask(SIG_BLOCK, NULL, &set);
	if (sigismember(&set, SIGUSR1))
		__atomic_fetch_add((uint32_t *)arg, 1u, __ATOMIC_RELAXED);
	while (__atomic_load_n(&word, __ATOMIC_ACQUIRE) == 0)
		port_wait(&word, 0, UINT64_MAX);
	__atomic_fetch_add((uint32_t *)arg, 1u, __ATOMIC_RELEASE);
}

TEST(a_thread_waits_until_woken)
{
	uint64_t before = port_now_ns();

	port_wait(&word, 0, 20000000);
	ok(port_now_ns() - before >= 19000000, "a wait with a limit ends at the limit");
	port_wait(&word, 1, UINT64_MAX); /* not what it saw: no wait */
	is(port_spawn(sleeper, &woken, "kmem-test"), 0);
	__atomic_store_n(&word, 1u, __ATOMIC_RELEASE);
	port_wake(&word, UINT32_MAX);
	for (int i = 0; i < 5000 && __atomic_load_n(&woken, __ATOMIC_ACQUIRE) < 2; i++)
		port_wait(&word, 1, 1000000);
	is(woken, 2, "started with its signals blocked, and came back");
}

TEST(a_seed_gives_the_same_numbers)
{
	uint64_t a[3];

	start(16 * MIB, 16 * MIB);
	for (int i = 0; i < 3; i++)
		a[i] = port_random64();
	port_stop();
	start(16 * MIB, 16 * MIB);
	for (int i = 0; i < 3; i++)
		ok(port_random64() == a[i]);
	ok(a[0] != a[1]);
	port_stop();
}

TEST(reports_find_their_callers_and_names)
{
	static int data;
	char buf[64];
	void *pc[8];

	ok(port_backtrace(pc, 8) >= 1);
	is(port_backtrace(pc, 0), 0);
	ok(port_symbol(pc[0], buf, sizeof(buf)) > 0 && buf[0]);
	is(port_symbol((void *)0x1234, buf, 4), 6);
	is_str(buf, "0x1", "cut, and ended");
	ok(port_comm()[0]);
	is(port_pid(), getpid());
	ok(!port_rodata(&data) && !port_rodata(buf));
	ok(port_rodata("text of the main program"));
}

TEST(it_starts_under_a_limit_of_address_space)
{
	struct rlimit lim = {64 * MIB, 64 * MIB};
	uint64_t mem;

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	skip_loudly("a sanitizer's shadow takes more address space than the limit");
#endif
	if (setrlimit(RLIMIT_AS, &lim) != 0)
		skip_loudly("no limits here");
	if (mmap(NULL, 128 * MIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
		skip_loudly("the limit is not enforced here (emulation)");
	mem = port_mem_default();
	ok(mem >= 16 * MIB && mem < 64 * MIB, "%llu", (unsigned long long)mem);
	start(mem, mem);
	is(port_commit(0, 1), 1);
	ok(port_meta(1 << 20, true) != NULL);
	port_stop();
}
