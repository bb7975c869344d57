/* SPDX-License-Identifier: MIT */
/*
 * Reading a recording: finding out what the file is, and keeping the process safe from it.
 *
 * A trace.dat is decoded by libtracecmd, which prints on standard error and was written for files
 * that are whole. So the header is looked at here first, and the library runs in a child with a
 * time and a memory limit; the child hands the finished array over in a memfd. If the child dies,
 * the file is at fault, not the command.
 */
#include "cmd.h"
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kmem/gfp.h>

const char *const trace_kind_name[TRACE_NR_KINDS] = {
	"kmalloc", "kmem_cache_alloc", "kfree", "kmem_cache_free", "mm_page_alloc", "mm_page_free",
};

enum trace_kind trace_kind_of(const char *name, size_t len)
{
	static const struct {
		const char *name;
		enum trace_kind kind;
	} old[] = {{"kmalloc_node", TRACE_KMALLOC}, {"kmem_cache_alloc_node", TRACE_CACHE_ALLOC}};

	for (int k = 0; k < TRACE_NR_KINDS; k++) {
		if (strlen(trace_kind_name[k]) == len && !memcmp(trace_kind_name[k], name, len))
			return (enum trace_kind)k;
	}
	for (size_t i = 0; i < sizeof(old) / sizeof(old[0]); i++) {
		if (strlen(old[i].name) == len && !memcmp(old[i].name, name, len))
			return old[i].kind;
	}
	return TRACE_NR_KINDS;
}

/* ---- The array ----------------------------------------------------------------------------- */

void trace_add(struct trace *t, const struct trace_event *ev, uint64_t ns)
{
	if (t->nr == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 4096;
		t->ev = cmd_grow(t->ev, t->cap, sizeof(*t->ev));
	}
	if (t->nr == 0)
		t->first_ns = ns;
	t->last_ns = ns;
	if (ev->cpu >= t->nr_cpus)
		t->nr_cpus = ev->cpu + 1u;
	t->ev[t->nr++] = *ev;
}

void trace_add_bad(struct trace *t, const char *what)
{
	if (t->bad++ == 0) {
		size_t n = strcspn(what, "\n");

		if (n >= sizeof(t->first_bad))
			n = sizeof(t->first_bad) - 1;
		for (size_t i = 0; i < n; i++)
			t->first_bad[i] = what[i] >= ' ' && what[i] != 0x7f ? what[i] : '?';
		t->first_bad[n] = '\0';
	}
}

uint16_t trace_cache(struct trace *t, const char *name, size_t len)
{
	static unsigned int last; /* runs of one cache are long */

	if (len == 0 || len >= TRACE_NAME_MAX)
		return TRACE_NO_CACHE;
	if (last < t->nr_caches && !memcmp(t->cache[last].text, name, len) &&
	    !t->cache[last].text[len])
		return (uint16_t)last;
	for (unsigned int i = 0; i < t->nr_caches; i++) {
		if (!memcmp(t->cache[i].text, name, len) && !t->cache[i].text[len]) {
			last = i;
			return (uint16_t)i;
		}
	}
	/* The library's own limit on caches is lower; beyond it the replay could not follow. */
	if (t->nr_caches >= KMEM_MAX_CACHES)
		return TRACE_NO_CACHE;
	t->cache = cmd_grow(t->cache, t->nr_caches + 1, sizeof(*t->cache));
	memset(&t->cache[t->nr_caches], 0, sizeof(*t->cache));
	memcpy(t->cache[t->nr_caches].text, name, len);
	last = t->nr_caches;
	return (uint16_t)t->nr_caches++;
}

/* Name by name, so that one unknown name does not take the rest of the mask with it. */
static uint32_t gfp_by_names(struct trace *t, const char *text, size_t len)
{
	static const char atomic_61[] = "__GFP_ATOMIC"; /* 4.4 to 6.3 */
	uint32_t all = 0;
	bool unknown = false;

	while (len) {
		const char *bar = memchr(text, '|', len);
		size_t n = bar ? (size_t)(bar - text) : len;
		gfp_t one = 0;

		if (n == sizeof(atomic_61) - 1 && !memcmp(text, atomic_61, n))
			one = __GFP_HIGH;
		else if (kmem_gfp_parse(text, n, &one) != 0)
			unknown = true;
		all |= one;
		text += n + (bar ? 1 : 0);
		len -= n + (bar ? 1 : 0);
	}
	if (unknown)
		t->gfp_unknown++;
	return all;
}

uint32_t trace_gfp(struct trace *t, const char *text, size_t len)
{
	gfp_t gfp = 0;

	if (kmem_gfp_parse(text, len, &gfp) == 0)
		return gfp;
	return gfp_by_names(t, text, len);
}

void trace_free(struct trace *t)
{
	free(t->ev);
	free(t->cache);
	memset(t, 0, sizeof(*t));
}

/* ---- The child that reads trace.dat -------------------------------------------------------- */

static bool write_all(int fd, const void *p, size_t n)
{
	while (n) {
		ssize_t k = write(fd, p, n);

		if (k <= 0)
			return false;
		p = (const char *)p + k;
		n -= (size_t)k;
	}
	return true;
}

static bool read_all(int fd, void *p, size_t n)
{
	while (n) {
		ssize_t k = read(fd, p, n);

		if (k <= 0)
			return false;
		p = (char *)p + k;
		n -= (size_t)k;
	}
	return true;
}

enum { CHILD_SECONDS = 300, CHILD_REASON = 128 };

static void child_main(const char *path, int out)
{
	struct rlimit cpu = {CHILD_SECONDS, CHILD_SECONDS}, core = {0, 0};
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	struct trace t = {0};
	char reason[CHILD_REASON] = "";
	const char *why;

	setrlimit(RLIMIT_CPU, &cpu);
	setrlimit(RLIMIT_CORE, &core);
	alarm(2 * CHILD_SECONDS);
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
	}
	why = trace_read_dat(&t, path);
	if (why)
		snprintf(reason, sizeof(reason), "%s", why);
	_exit(write_all(out, reason, sizeof(reason)) && write_all(out, &t, sizeof(t)) &&
			      write_all(out, t.cache, t.nr_caches * sizeof(*t.cache)) &&
			      write_all(out, t.ev, t.nr * sizeof(*t.ev))
		      ? 0
		      : 1);
}

/* What the child left in the memfd; false if it is not whole. */
static bool child_result(struct trace *t, int fd, char *reason)
{
	if (lseek(fd, 0, SEEK_SET) != 0 || !read_all(fd, reason, CHILD_REASON) ||
	    !read_all(fd, t, sizeof(*t)))
		return false;
	t->cache = cmd_grow(NULL, t->nr_caches, sizeof(*t->cache));
	t->cap = t->nr;
	t->ev = cmd_grow(NULL, t->nr, sizeof(*t->ev));
	return read_all(fd, t->cache, t->nr_caches * sizeof(*t->cache)) &&
	       read_all(fd, t->ev, t->nr * sizeof(*t->ev));
}

static int read_dat(struct trace *t, const char *path, const char *shown)
{
	int fd = memfd_create("kmem-replay", MFD_CLOEXEC), status = 0;
	char reason[CHILD_REASON] = "";
	pid_t pid;

	if (!trace_dat_supported)
		return cmd_env("%s: this build of kmem cannot read trace.dat: install "
			       "libtracecmd-dev and libtraceevent-dev and build again, or turn it "
			       "into text: trace-cmd report -l -i %s | kmem replay -",
			       shown, shown);
	if (fd < 0)
		return cmd_env("memfd_create: %s", strerror(errno));
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		child_main(path, fd);
	if (pid < 0 || waitpid(pid, &status, 0) != pid) {
		close(fd);
		return cmd_env("fork: %s", strerror(errno));
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || !child_result(t, fd, reason)) {
		close(fd);
		return cmd_bad("%s: broken trace.dat: the reader could not get through it "
			       "(truncated or damaged?)",
			       shown);
	}
	close(fd);
	return reason[0] ? cmd_bad("%s: %s", shown, reason) : 0;
}

/* ---- What is this file? -------------------------------------------------------------------- */

static const char dat_magic[] = "\x17\x08\x44tracing";

/* NULL if it may be text; otherwise what it is instead. */
static const char *not_text(const unsigned char *head, size_t n)
{
	if (n >= 8 && (!memcmp(head, "PERFILE2", 8) || !memcmp(head, "2ELIFREP", 8)))
		return "this is a perf.data file; make text of it: perf script -i FILE";
	if (n >= 4 && !memcmp(head,
			      "\x7f"
			      "ELF",
			      4))
		return "this is a program, not a trace";
	if (n >= 2 && !memcmp(head, "\x1f\x8b", 2))
		return "this is gzip data; unpack it first";
	if (n >= 4 && !memcmp(head, "\x28\xb5\x2f\xfd", 4))
		return "this is zstd data; unpack it first";
	if (memchr(head, 0, n))
		return "not a trace: neither trace.dat nor the text of trace-cmd, perf or tracefs";
	return NULL;
}

static int read_text(struct trace *t, int fd, const char *shown)
{
	const char *why = trace_read_text(t, fd);

	if (why)
		return cmd_bad("%s: %s", shown, why);
	if (t->nr == 0 && t->bad)
		return cmd_bad("%s: none of its %llu allocation events can be understood; the "
			       "first is: %s",
			       shown, (unsigned long long)t->bad, t->first_bad);
	return 0;
}

/* Standard input may be a pipe, and the readers want a file. */
static int spool_stdin(void)
{
	int fd = memfd_create("kmem-stdin", MFD_CLOEXEC);
	char buf[65536];
	ssize_t n;

	if (fd < 0)
		return -1;
	while ((n = read(STDIN_FILENO, buf, sizeof(buf))) > 0) {
		if (!write_all(fd, buf, (size_t)n))
			return -1;
	}
	if (n < 0 || lseek(fd, 0, SEEK_SET) != 0)
		return -1;
	return fd;
}

static int read_open(struct trace *t, int fd, const char *shown)
{
	unsigned char head[4096];
	ssize_t n = pread(fd, head, sizeof(head), 0);
	const char *what;

	if (n < 0)
		return cmd_env("%s: %s", shown, strerror(errno));
	if (n == 0)
		return cmd_bad("%s: the file is empty", shown);
	if ((size_t)n < sizeof(dat_magic) - 1 && !memcmp(head, dat_magic, (size_t)n))
		return cmd_bad("%s: truncated: only %zd bytes of a trace.dat", shown, n);
	if ((size_t)n >= sizeof(dat_magic) - 1 && !memcmp(head, dat_magic, sizeof(dat_magic) - 1)) {
		const char *broken = trace_check_dat(fd);
		char *path = cmd_text("/proc/self/fd/%d", fd);
		int rc = broken ? cmd_bad("%s: %s", shown, broken) : read_dat(t, path, shown);

		free(path);
		return rc;
	}
	what = not_text(head, (size_t)n);
	return what ? cmd_bad("%s: %s", shown, what) : read_text(t, fd, shown);
}

int trace_read(struct trace *t, const char *path)
{
	bool in = !strcmp(path, "-");
	const char *shown = in ? "standard input" : path;
	int fd = in ? spool_stdin() : open(path, O_RDONLY | O_CLOEXEC), rc;
	struct stat st;

	memset(t, 0, sizeof(*t));
	if (fd < 0)
		return cmd_env("%s: %s", shown, strerror(errno));
	if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
		close(fd);
		return cmd_bad("%s: this is a folder, not a trace", shown);
	}
	rc = read_open(t, fd, shown);
	close(fd);
	if (rc == 0 && t->nr == 0)
		rc = cmd_bad("%s: not a trace: it holds no allocation event (kmem:kmalloc, "
			     "kmem:mm_page_alloc, ...)",
			     shown);
	if (rc)
		trace_free(t);
	return rc;
}
