/* SPDX-License-Identifier: MIT */
/*
 * Time, chance, messages, and what the host knows of the program. Nothing here uses stdio or
 * allocates: most of it runs inside a report, which may run inside malloc or a signal handler.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <unwind.h>
#include "posix.h"

/* ---- Time and chance ------------------------------------------------------------------------ */

uint64_t port_now_ns(void)
{
	struct timespec t = {0};
	int saved = errno;

	clock_gettime(CLOCK_MONOTONIC, &t);
	errno = saved;
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t random_seed;  /* 0: the host's choice */
static uint64_t random_state; /* counts up by the golden ratio */

/* Two rounds of multiply and fold, so that neighbouring counts give unrelated values (splitmix64). */
static uint64_t mix64(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static uint64_t random_step(void)
{
	const uint64_t golden = 0x9e3779b97f4a7c15u;

	return mix64(__atomic_add_fetch(&random_state, golden, __ATOMIC_RELAXED));
}

void port_random_seed(uint64_t seed)
{
	random_seed = seed;
	random_state = seed;
}

/* With a seed the same numbers come in the same order; without one they are the kernel's, or, before
 * it has any and where there is no such call, what clock, stack and count make hard to guess. */
uint64_t port_random64(void)
{
	enum { NONBLOCK = 1 }; /* GRND_NONBLOCK */
	int saved = errno;
	uint64_t r = 0;

	if (random_seed)
		return random_step();
	if (syscall(SYS_getrandom, &r, sizeof(r), NONBLOCK) != (long)sizeof(r))
		r = mix64(port_now_ns() ^ (uint64_t)(uintptr_t)&r << 20) ^ random_step();
	errno = saved;
	return r;
}

/* ---- Messages ------------------------------------------------------------------------------- */

static void write_all(const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDERR_FILENO, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

/*
 * A message must not end the program because nobody reads its stderr any more: the signal of a
 * broken pipe is held back, and taken off if it is ours.
 */
void port_log(int level, const char *text, size_t len)
{
	const struct timespec now = {0, 0};
	sigset_t pipe, before, pending;
	int saved = errno;
	bool was_pending;

	(void)level;
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	sigemptyset(&pending);
	pthread_sigmask(SIG_BLOCK, &pipe, &before);
	sigpending(&pending);
	was_pending = sigismember(&pending, SIGPIPE) == 1;
	write_all(text, len);
	if (!was_pending)
		while (sigtimedwait(&pipe, NULL, &now) < 0 && errno == EINTR)
			continue;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	errno = saved;
}

void port_panic(const char *msg)
{
	port_log(0, msg, strlen(msg));
	port_log(0, "\n", 1);
	abort();
}

/* ---- Code addresses ------------------------------------------------------------------------- */

/*
 * Do the tables hold at each instruction, or only at calls? The i386 C library's string functions push a
 * register without telling them. A handler that interrupts one there knows where it was, and not who
 * called it: to go on would be to follow whatever lies on the stack.
 */
#if defined(__i386__)
enum { TABLES_AT_ALL = 0 };
#else
enum { TABLES_AT_ALL = 1 };
#endif

struct walk {
	void **pc;
	unsigned int n, max, skip;
};

static _Unwind_Reason_Code walk_frame(struct _Unwind_Context *context, void *arg)
{
	struct walk *w = arg;
	int interrupted = 0;
	uintptr_t ip = _Unwind_GetIPInfo(context, &interrupted);

	if (w->skip > 0) {
		w->skip--;
		return _URC_NO_REASON;
	}
	if (ip == 0 || w->n == w->max)
		return _URC_END_OF_STACK;
	w->pc[w->n++] = (void *)ip;
	return interrupted && !TABLES_AT_ALL ? _URC_END_OF_STACK : _URC_NO_REASON;
}

/*
 * The compiler's own unwinder, linked with the program: it walks the unwind tables where they lie and
 * allocates nothing. The C library's backtrace() is not used because its first call loads that same
 * unwinder with dlopen, which allocates. Frames of this function and of its caller are left out.
 */
unsigned int port_backtrace(void **pc, unsigned int max)
{
	struct walk w = {.pc = pc, .max = max, .skip = 2};
	int saved = errno;

	if (max > 0)
		_Unwind_Backtrace(walk_frame, &w);
	errno = saved;
	return w.n;
}

static size_t put(char *buf, size_t len, size_t at, const char *s)
{
	for (; *s; s++, at++)
		if (at + 1 < len)
			buf[at] = *s;
	if (len > 0)
		buf[at < len ? at : len - 1] = '\0';
	return at;
}

static size_t put_hex(char *buf, size_t len, size_t at, uintptr_t v)
{
	char digits[2 * sizeof(v) + 1];
	size_t i = sizeof(digits) - 1;

	digits[i] = '\0';
	do {
		digits[--i] = "0123456789abcdef"[v & 15];
		v >>= 4;
	} while (v);
	return put(buf, len, put(buf, len, at, "0x"), digits + i);
}

static const char *file_of_path(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/*
 * dladdr takes the loader's lock. A handler that interrupted a section may have interrupted the
 * loader's caller as well, so there the bare address must do.
 */
size_t port_symbol(const void *pc, char *buf, size_t len)
{
	Dl_info info = {0};
	int saved = errno;
	size_t at = 0;
	bool known = !port_in_section() && port_context() == PORT_TASK && dladdr(pc, &info) != 0;

	if (known && info.dli_sname) {
		at = put(buf, len, at, info.dli_sname);
		at = put(buf, len, at, "+");
		at = put_hex(buf, len, at, (uintptr_t)pc - (uintptr_t)info.dli_saddr);
	} else if (known && info.dli_fname && *info.dli_fname) {
		at = put(buf, len, at, file_of_path(info.dli_fname));
		at = put(buf, len, at, "+");
		at = put_hex(buf, len, at, (uintptr_t)pc - (uintptr_t)info.dli_fbase);
	} else {
		at = put_hex(buf, len, at, (uintptr_t)pc);
	}
	errno = saved;
	return at;
}

/* ---- The program ---------------------------------------------------------------------------- */

const char *port_comm(void)
{
	static _Thread_local char comm[17] __attribute__((tls_model("initial-exec")));
	int saved = errno;

	if (prctl(PR_GET_NAME, comm, 0, 0, 0) != 0)
		comm[0] = '\0';
	errno = saved;
	return comm;
}

int port_pid(void)
{
	return (int)getpid();
}

/* A setuid program's user may not choose its machine. */
const char *port_cmdline(void)
{
	return secure_getenv("KMEM_CMDLINE");
}

/*
 * Read-only memory of the main program, by its program headers, which the kernel hands over at exec:
 * no lock is needed, and none is taken. Text of a shared object is not counted, since the object may
 * be unloaded under the pointer. Where the load address cannot be told (a static program without a
 * PT_PHDR entry), the answer is no, and the text is copied.
 */
bool port_rodata(const void *p)
{
	int saved = errno;
	const ElfW(Phdr) *ph = (const void *)(uintptr_t)getauxval(AT_PHDR);
	size_t n = getauxval(AT_PHNUM);
	uintptr_t bias = 0, addr = (uintptr_t)p;
	bool biased = false;

	errno = saved;
	for (size_t i = 0; ph && i < n; i++) {
		if (ph[i].p_type != PT_PHDR)
			continue;
		bias = (uintptr_t)ph - ph[i].p_vaddr;
		biased = true;
	}
	for (size_t i = 0; biased && i < n; i++)
		if (ph[i].p_type == PT_LOAD && !(ph[i].p_flags & PF_W) &&
		    addr - (bias + ph[i].p_vaddr) < ph[i].p_memsz)
			return true;
	return false;
}
