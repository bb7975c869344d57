/* SPDX-License-Identifier: MIT */
/*
 * The processes of a sweep. This one is the reaper of orphans (PR_SET_CHILD_SUBREAPER), so every copy
 * the trunk has made ends here. First the trunk and its copies; then, one by one from the start, the
 * requests at which it could not be copied, or whose copy crashed or hung.
 *
 * The layout of addresses is held still where the host allows that, so that the stacks of two starts
 * can be compared.
 */
#include "sweep.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TICK_NS = 2000000 };

struct job {
	pid_t pid; /* 0: free */
	uint64_t request;
	double since;
	bool hung, copy;
};

struct jobs {
	struct job *job;
	uint64_t nr, scanned; /* runs that have been looked at */
	uint64_t *again, nr_again, cap_again;
};

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void tick(void)
{
	const struct timespec t = {0, TICK_NS};

	nanosleep(&t, NULL);
}

/* ---- Starting ------------------------------------------------------------------------------- */

static void give_token(struct sweep *s)
{
	__atomic_fetch_add(&s->shared->tokens, 1u, __ATOMIC_RELEASE);
	syscall(SYS_futex, &s->shared->tokens, FUTEX_WAKE, 1, NULL, NULL, 0);
}

/* The program with its part in the environment. quiet: its output is nobody's. */
static void become_program(const struct sweep *s, const char *what, bool quiet)
{
	char *text = cmd_text("/proc/%ld/fd/%d %s", (long)getppid(), s->fd, what);
	int null = open("/dev/null", O_RDWR);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	personality(ADDR_NO_RANDOMIZE);
	signal(SIGPIPE, SIG_DFL);
	setenv("KMEM_SWEEP", text, 1);
	if (null >= 0) {
		dup2(null, STDOUT_FILENO);
		if (quiet) {
			dup2(null, STDIN_FILENO);
			dup2(null, STDERR_FILENO);
		}
	}
	if (s->opt.malloc) {
		char *head[] = {"kmem", "run", "--", NULL}, **argv;
		size_t n = 0;

		while (s->opt.argv[n])
			n++;
		argv = cmd_grow(NULL, n + 4, sizeof(*argv));
		memcpy(argv, head, sizeof(head));
		memcpy(argv + 3, s->opt.argv, (n + 1) * sizeof(*argv));
		execv("/proc/self/exe", argv);
	} else {
		execvp(s->opt.argv[0], s->opt.argv);
	}
	_exit(cmd_env("sweep: %s: %s", s->opt.argv[0], strerror(errno)));
}

static pid_t start_program(const struct sweep *s, const char *what, bool quiet)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == 0)
		become_program(s, what, quiet);
	return pid;
}

/* ---- Watching ------------------------------------------------------------------------------- */

static void job_add(struct jobs *j, pid_t pid, uint64_t request, bool copy)
{
	uint64_t i = 0;

	while (i < j->nr && j->job[i].pid)
		i++;
	if (i == j->nr)
		j->job = cmd_grow(j->job, (size_t)++j->nr, sizeof(*j->job));
	j->job[i] = (struct job){pid, request, now_s(), false, copy};
}

static void add_again(struct jobs *j, uint64_t request)
{
	if (j->nr_again == j->cap_again) {
		j->cap_again = 2 * j->cap_again + 64;
		j->again = cmd_grow(j->again, (size_t)j->cap_again, sizeof(*j->again));
	}
	j->again[j->nr_again++] = request;
}

static uint64_t jobs_running(const struct jobs *j)
{
	uint64_t n = 0;

	for (uint64_t i = 0; i < j->nr; i++)
		n += j->job[i].pid != 0;
	return n;
}

/* Takes notice of the copies that were made, or refused, since the last time. */
static void jobs_scan(struct sweep *s, struct jobs *j)
{
	for (; j->scanned < s->opt.max; j->scanned++) {
		uint64_t request = kmem_sweep_request(s->shared, j->scanned);
		struct kmem_sweep_run *run = kmem_sweep_run(s->shared, request);
		uint32_t pid = __atomic_load_n(&run->pid, __ATOMIC_ACQUIRE);

		if (pid) {
			s->forked++;
			job_add(j, (pid_t)pid, request, true);
		} else if (__atomic_load_n(&run->refused, __ATOMIC_ACQUIRE)) {
			add_again(j, request);
		} else {
			return;
		}
	}
}

static void jobs_time(const struct sweep *s, struct jobs *j)
{
	double late = now_s() - (double)s->opt.timeout_s;

	for (uint64_t i = 0; i < j->nr; i++) {
		if (j->job[i].pid && !j->job[i].hung && j->job[i].since < late) {
			j->job[i].hung = true;
			kill(j->job[i].pid, SIGKILL);
		}
	}
}

static void jobs_kill(struct jobs *j)
{
	for (uint64_t i = 0; i < j->nr; i++) {
		if (j->job[i].pid)
			kill(j->job[i].pid, SIGKILL);
	}
}

/*
 * A lock that knows its owner by the thread's number does not know the copy of that thread: it may
 * stand still, or be ended by the C library. So what looks like that is tried again from the start;
 * and one that stands still costs its time, so it is the last copy.
 */
static void job_judge(struct sweep *s, struct jobs *j, const struct job *job, int status)
{
	if (s->stopped)
		return;
	if (job->copy && job->hung)
		__atomic_store_n(&s->shared->refuse, 1u, __ATOMIC_RELAXED);
	if (job->copy && (job->hung || WIFSIGNALED(status)))
		add_again(j, job->request);
	else
		sweep_judge(s, job->request, status, job->hung);
}

/* False: the process is none of the runs. */
static bool job_end(struct sweep *s, struct jobs *j, pid_t pid, int status)
{
	for (uint64_t i = 0; i < j->nr; i++) {
		if (j->job[i].pid == pid) {
			j->job[i].pid = 0;
			job_judge(s, j, &j->job[i], status);
			return true;
		}
	}
	return false;
}

/* ---- The trunk and its copies ----------------------------------------------------------------- */

static int watch_trunk(struct sweep *s, struct jobs *j, pid_t trunk)
{
	bool alive = true;

	for (;;) {
		int status;
		pid_t pid = waitpid(-1, &status, WNOHANG);

		jobs_scan(s, j);
		if (pid == trunk) {
			s->trunk_status = status;
			alive = false;
		} else if (pid > 0 && job_end(s, j, pid, status)) {
			give_token(s);
		}
		if (s->stopped) {
			kill(trunk, alive ? SIGKILL : 0);
			jobs_kill(j);
		}
		if (pid > 0)
			continue;
		if (!alive && jobs_running(j) == 0)
			return CMD_FINE;
		jobs_time(s, j);
		tick();
	}
}

/* ---- From the start --------------------------------------------------------------------------- */

static void start_one(struct sweep *s, struct jobs *j, uint64_t request)
{
	char what[24];
	pid_t pid;

	snprintf(what, sizeof(what), "%llu", (unsigned long long)request);
	memset(kmem_sweep_run(s->shared, request), 0, sizeof(struct kmem_sweep_run));
	pid = start_program(s, what, true);
	if (pid > 0) {
		s->restarted++;
		job_add(j, pid, request, false);
	}
}

static void watch_restarts(struct sweep *s, struct jobs *j)
{
	uint64_t next = 0;

	while (next < j->nr_again || jobs_running(j)) {
		int status;
		pid_t pid;

		while (!s->stopped && next < j->nr_again && jobs_running(j) < s->opt.jobs)
			start_one(s, j, j->again[next++]);
		if (s->stopped) {
			next = j->nr_again;
			jobs_kill(j);
		}
		pid = waitpid(-1, &status, WNOHANG);
		if (pid > 0) {
			job_end(s, j, pid, status);
			continue;
		}
		jobs_time(s, j);
		tick();
	}
}

/* ---- All of it -------------------------------------------------------------------------------- */

static int share(struct sweep *s)
{
	size_t bytes = sizeof(*s->shared) + (size_t)s->opt.max * sizeof(struct kmem_sweep_run);
	void *p = MAP_FAILED;

	s->fd = memfd_create("kmem-sweep", MFD_CLOEXEC);
	if (s->fd >= 0 && ftruncate(s->fd, (off_t)bytes) == 0)
		p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
	if (p == MAP_FAILED)
		return cmd_env("sweep: no memory to share: %s", strerror(errno));
	s->shared = p;
	s->shared->magic = KMEM_SWEEP_MAGIC;
	s->shared->from = s->opt.from;
	s->shared->every = s->opt.every;
	s->shared->room = s->opt.max;
	s->shared->tokens = (uint32_t)s->opt.jobs;
	return CMD_FINE;
}

static int check_trunk(const struct sweep *s)
{
	if (WIFEXITED(s->trunk_status) && WEXITSTATUS(s->trunk_status) == CMD_ENV &&
	    s->shared->requests == 0)
		return CMD_ENV; /* it has said why */
	if (WIFSIGNALED(s->trunk_status))
		return cmd_env("sweep: %s ends by signal %d without any failure", s->opt.argv[0],
			       WTERMSIG(s->trunk_status));
	if (s->shared->requests == 0)
		return cmd_env("sweep: %s made no request that could fail: is it linked with "
			       "libkmem? (for its malloc: --malloc)",
			       s->opt.argv[0]);
	return CMD_FINE;
}

int sweep_all(struct sweep *s)
{
	struct jobs j = {0};
	int rc = share(s);
	pid_t trunk;

	if (rc != CMD_FINE)
		return rc;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	trunk = start_program(s, s->opt.restart ? "0" : "fork", false);
	if (trunk < 0)
		return cmd_env("sweep: fork: %s", strerror(errno));
	watch_trunk(s, &j, trunk);
	if (!s->stopped)
		rc = check_trunk(s);
	if (rc == CMD_FINE && s->opt.restart) {
		for (uint64_t i = 0, n; i < s->opt.max && (n = kmem_sweep_request(s->shared, i)) <=
								  s->shared->requests;
		     i++)
			kmem_sweep_run(s->shared, n)->refused = 1;
		jobs_scan(s, &j);
	}
	if (rc == CMD_FINE && !s->stopped)
		watch_restarts(s, &j);
	s->tried = j.scanned;
	free(j.job);
	free(j.again);
	return rc;
}
