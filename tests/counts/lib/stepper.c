/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <link.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <sys/ptrace.h>
#include <sys/rseq.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>
#include "stepper.h"
#include "one_cpu.h"

struct stepper {
	pid_t child;
	struct step_fn *fns, *inside;
	unsigned int n;
	unsigned long sp, count, calls;
	unsigned long clock, clock_end; /* the kernel's code for it */
	bool trace;
};

void step_here(void)
{
	raise(SIGSTOP);
}

static struct step_fn *fn_at(struct stepper *s, unsigned long pc)
{
	for (unsigned int i = 0; i < s->n; i++)
		if ((unsigned long)s->fns[i].fn == pc)
			return &s->fns[i];
	return NULL;
}

static void fn_ends(struct stepper *s)
{
	struct step_fn *f = s->inside;

	if (f->calls == 0 || s->count < f->min)
		f->min = s->count;
	if (s->count > f->max) {
		f->max = s->count;
		f->max_at = s->calls;
	}
	f->calls++;
	s->calls++;
	f->total += s->count;
	s->inside = NULL;
}

/* Mapped where it is in the child, too. */
static void find_clock(struct stepper *s)
{
	const ElfW(Ehdr) *head = (const ElfW(Ehdr) *)getauxval(AT_SYSINFO_EHDR);
	const ElfW(Phdr) *part = (const ElfW(Phdr) *)((uintptr_t)head + (head ? head->e_phoff : 0));

	for (unsigned int i = 0; head && i < head->e_phnum; i++) {
		if (part[i].p_type != PT_LOAD)
			continue;
		s->clock = (uintptr_t)head;
		s->clock_end = s->clock + part[i].p_memsz;
	}
}

/* Before the instruction at pc is executed. */
static void look(struct stepper *s, const struct user_regs_struct *r)
{
	if (s->inside && r->rsp > s->sp)
		fn_ends(s);
	if (!s->inside) {
		s->inside = fn_at(s, r->rip);
		s->sp = r->rsp;
		s->count = 0;
	}
	if (r->rip - s->clock < s->clock_end - s->clock)
		return;
	s->count++;
	if (s->inside && s->trace)
		fprintf(stderr, "%#lx\n", (unsigned long)r->rip);
}

static bool no_sequence(struct stepper *s, const struct user_regs_struct *r)
{
	unsigned long at =
		r->fs_base + (unsigned long)__rseq_offset + offsetof(struct rseq, rseq_cs);
	long word;

	if (!__rseq_size)
		return true;
	errno = 0;
	word = ptrace(PTRACE_PEEKDATA, s->child, (void *)at, NULL);
	if (errno)
		return false;
	return !word || ptrace(PTRACE_POKEDATA, s->child, (void *)at, NULL) == 0;
}

/* From one stop to the next; false: it is over. */
static bool step(struct stepper *s, int *status)
{
	struct user_regs_struct r;

	if (ptrace(PTRACE_GETREGS, s->child, NULL, &r) || !no_sequence(s, &r))
		return false;
	look(s, &r);
	return ptrace(PTRACE_SINGLESTEP, s->child, NULL, NULL) == 0 &&
	       waitpid(s->child, status, 0) == s->child && WIFSTOPPED(*status) &&
	       WSTOPSIG(*status) == SIGTRAP;
}

bool step_run(void (*load)(void *), void *arg, struct step_fn *fns, unsigned int n)
{
	struct stepper s = {.fns = fns, .n = n, .trace = getenv("COUNT_TRACE")};
	int status = 0;

	find_clock(&s);
	s.child = fork();
	if (s.child == 0) {
		stay_on_this_cpu(); /* a move in the middle of a sequence would be seen */
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
			_exit(2);
		load(arg);
		_exit(0);
	}
	if (s.child < 0 || waitpid(s.child, &status, 0) != s.child)
		return false;
	if (WIFSTOPPED(status) && WSTOPSIG(status) == SIGSTOP)
		while (step(&s, &status))
			;
	if (!WIFEXITED(status) && !WIFSIGNALED(status)) {
		kill(s.child, SIGKILL);
		waitpid(s.child, &status, 0);
		return false;
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}
