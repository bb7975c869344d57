/* SPDX-License-Identifier: MIT */
/*
 * kmem run: a program on libkmem's malloc.
 *
 * The library is preloaded and told by environment variables what the machine is and what to
 * report, then the program takes this process over: its exit status, signals and terminal are its
 * own. Only --leaks keeps this process as the parent, to read the report and to give status 1.
 *
 * The loader ignores a library that does not fit, with a message at best, so what would be ignored
 * is refused here: a program of the other word size, one without a loader, one that is setuid.
 */
#include "cmd.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <kmem/kmem.h>

#include "paths.h"

#define PRELOAD "libkmem-malloc.so.0"

struct run {
	const char *mem, *zones, *cmdline;
	bool stat, leaks;
	char **argv; /* the program and its arguments */
};

/* ---- Which file will run? ------------------------------------------------------------------ */

/* As execvp looks for it; NULL with errno. To be freed. */
static char *find_program(const char *name)
{
	const char *dir = getenv("PATH");
	int why = ENOENT;

	if (strchr(name, '/'))
		return access(name, F_OK) == 0 ? cmd_text("%s", name) : NULL;
	for (dir = dir ? dir : "/usr/bin:/bin"; *name; dir++) {
		size_t n = strcspn(dir, ":");
		char *path = cmd_text("%.*s%s%s", (int)n, dir, n ? "/" : "./", name);
		struct stat st;

		if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
			if (access(path, X_OK) == 0)
				return path;
			why = EACCES;
		}
		free(path);
		dir += n;
		if (!*dir)
			break;
	}
	errno = why;
	return NULL;
}

struct elf_facts {
	int class; /* ELFCLASS32, ELFCLASS64 */
	int machine;
	bool elf, interp, script;
	char line[256]; /* of a script: its first line behind "#!" */
};

/* Looks for PT_INTERP, which is where the loader that does the preloading is named. */
static bool elf_has_interp(int fd, const Elf64_Ehdr *eh)
{
	Elf64_Phdr ph;
	Elf32_Phdr ph32;
	const Elf32_Ehdr *eh32 = (const Elf32_Ehdr *)(const void *)eh;
	bool wide = eh->e_ident[EI_CLASS] == ELFCLASS64;
	unsigned int n = wide ? eh->e_phnum : eh32->e_phnum;
	off_t at = wide ? (off_t)eh->e_phoff : (off_t)eh32->e_phoff;

	for (unsigned int i = 0; i < n; i++) {
		void *one = wide ? (void *)&ph : (void *)&ph32;
		size_t size = wide ? sizeof(ph) : sizeof(ph32);

		if (pread(fd, one, size, at + (off_t)(i * size)) != (ssize_t)size)
			return false;
		if ((wide ? ph.p_type : ph32.p_type) == PT_INTERP)
			return true;
	}
	return false;
}

static bool read_facts(const char *path, struct elf_facts *f)
{
	union {
		Elf64_Ehdr eh;
		char text[sizeof(f->line)];
	} head;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	memset(f, 0, sizeof(*f));
	memset(&head, 0, sizeof(head));
	if (fd < 0)
		return false;
	n = pread(fd, &head, sizeof(head) - 1, 0);
	if (n >= (ssize_t)sizeof(Elf32_Ehdr) && !memcmp(head.eh.e_ident, ELFMAG, SELFMAG)) {
		f->elf = true;
		f->class = head.eh.e_ident[EI_CLASS];
		f->machine = head.eh.e_machine; /* at the same place in both classes */
		f->interp = elf_has_interp(fd, &head.eh);
	} else if (n > 2 && head.text[0] == '#' && head.text[1] == '!') {
		f->script = true;
		head.text[2 + strcspn(head.text + 2, "\n")] = '\0';
		strcpy(f->line, head.text + 2);
	}
	close(fd);
	return true;
}

/* The program that runs the script: the first word, or the second one where that is env. */
static char *script_program(char *line)
{
	char *save = NULL, *word = strtok_r(line, " \t\r", &save), *base;

	if (!word)
		return NULL;
	base = strrchr(word, '/');
	if (!strcmp(base ? base + 1 : word, "env")) {
		char *next = strtok_r(NULL, " \t\r", &save);

		while (next && next[0] == '-')
			next = strtok_r(NULL, " \t\r", &save);
		if (next)
			word = next;
	}
	return find_program(word);
}

/* ---- Will the loader take the library? ----------------------------------------------------- */

static const char *const preload_native[] = {"@" PRELOAD, "@../lib/" PRELOAD, "@../" PRELOAD,
					     KMEM_LIBDIR "/" PRELOAD, NULL};
static const char *const preload_32[] = {"@../posix-i386/" PRELOAD, "@../lib32/" PRELOAD,
					 "@../lib/i386-linux-gnu/" PRELOAD,
					 "/usr/lib/i386-linux-gnu/" PRELOAD, NULL};
static const char *const preload_64[] = {"@../posix-x86_64/" PRELOAD, "@../lib64/" PRELOAD,
					 "@../lib/x86_64-linux-gnu/" PRELOAD,
					 "/usr/lib/x86_64-linux-gnu/" PRELOAD, NULL};

/* The library for programs like this one; NULL after a message. */
static char *find_preload(const struct elf_facts *prog, const char *name)
{
	struct elf_facts own = {0}, lib;
	const char *const *list = preload_native;
	bool other;
	char *path, *tried;

	read_facts("/proc/self/exe", &own);
	other = own.elf && prog->elf && own.class != prog->class;
	if (other)
		list = prog->class == ELFCLASS32 ? preload_32 : preload_64;
	path = cmd_locate(list);
	if (path && prog->elf && read_facts(path, &lib) &&
	    (lib.class != prog->class || lib.machine != prog->machine)) {
		cmd_env("run: %s and %s are for different machines", name, path);
		free(path);
		return NULL;
	}
	if (path && strpbrk(path, " :")) {
		cmd_env("run: %s: the loader cannot preload a path with a blank or a colon", path);
		free(path);
		return NULL;
	}
	if (path)
		return path;
	tried = cmd_tried(list);
	if (other)
		cmd_env("run: %s is a %d-bit program, and no %d-bit " PRELOAD
			" is installed; tried %s",
			name, prog->class == ELFCLASS32 ? 32 : 64,
			prog->class == ELFCLASS32 ? 32 : 64, tried);
	else
		cmd_env("run: cannot find " PRELOAD "; tried %s", tried);
	free(tried);
	return NULL;
}

static bool is_setuid(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && (((st.st_mode & S_ISUID) && st.st_uid != geteuid()) ||
					((st.st_mode & S_ISGID) && st.st_gid != getegid()));
}

/* Checks the program and finds the library for it; 0, or a status after a message. */
static int check_program(const char *name, char **preload)
{
	char *path = find_program(name);
	struct elf_facts f;
	int rc = CMD_FINE;

	for (int depth = 0; path && depth < 4 && rc == CMD_FINE; depth++) {
		char *next;

		if (access(path, X_OK) != 0)
			rc = cmd_env("run: %s: %s", path, strerror(errno));
		else if (is_setuid(path))
			rc = cmd_env("run: %s is setuid: the loader would ignore the library",
				     path);
		/* A program one may run but not read is taken as it comes. */
		if (rc != CMD_FINE || !read_facts(path, &f) || !f.script)
			break;
		next = script_program(f.line);
		if (!next)
			rc = cmd_env("run: %s: its interpreter is missing", path);
		free(path);
		path = next;
	}
	if (!path)
		return rc ? rc
			  : cmd_env("run: %s: %s", name,
				    errno == EACCES ? "not executable" : "no such program");
	if (rc == CMD_FINE && f.elf && !f.interp)
		rc = cmd_env("run: %s is statically linked: there is no loader to preload a "
			     "library into it",
			     path);
	if (rc == CMD_FINE) {
		*preload = find_preload(&f, path);
		rc = *preload ? CMD_FINE : CMD_ENV;
	}
	free(path);
	return rc;
}

/* ---- The environment ----------------------------------------------------------------------- */

/* Starts and stops the machine here, to have a bad word named before the program runs. */
static int check_cmdline(const char *cmdline)
{
	if (kmem_boot(cmdline) != 0)
		return cmd_usage("run: %s", kmem_boot_error());
	kmem_shutdown();
	return CMD_FINE;
}

static int set_environment(const struct run *r, const char *preload)
{
	const char *old = getenv("LD_PRELOAD");
	char *text;
	int rc = CMD_FINE;

	text = old && *old ? cmd_text("%s:%s", preload, old) : cmd_text("%s", preload);
	setenv("LD_PRELOAD", text, 1);
	free(text);
	if (r->mem || r->zones || r->cmdline) {
		text = cmd_text("%s%s%s%s%s%s", r->cmdline ? r->cmdline : "", r->mem ? " mem=" : "",
				r->mem ? r->mem : "", r->zones ? " zones=" : "",
				r->zones ? r->zones : "", "");
		rc = check_cmdline(text);
		setenv("KMEM_CMDLINE", text + (text[0] == ' '), 1);
		free(text);
	}
	if (r->stat || r->leaks)
		setenv("KMEM_MALLOC", !r->leaks ? "stat" : r->stat ? "stat,leaks" : "leaks", 1);
	else
		unsetenv("KMEM_MALLOC");
	unsetenv("KMEM_MALLOC_OUT");
	return rc;
}

static int exec_program(const struct run *r)
{
	fflush(NULL);
	signal(SIGPIPE, SIG_DFL);
	execvp(r->argv[0], r->argv);
	return cmd_env("run: %s: %s", r->argv[0], strerror(errno));
}

/* ---- --leaks ------------------------------------------------------------------------------- */

static volatile pid_t child_pid;

static void forward(int sig)
{
	if (child_pid > 0)
		kill(child_pid, sig);
}

/* The terminal sends INT and QUIT to the whole group; the others come to the parent alone. */
static void forward_signals(void)
{
	static const int forwarded[] = {SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGCONT, SIGALRM};
	struct sigaction sa = {.sa_handler = forward, .sa_flags = SA_RESTART};

	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	for (size_t i = 0; i < sizeof(forwarded) / sizeof(forwarded[0]); i++)
		sigaction(forwarded[i], &sa, NULL);
}

/*
 * Prints the report on standard error. Blocks that were not freed, over all processes that
 * reported; -1 if none did. The buffer of a standard stream is not counted: it is the C library's
 * and lives as long as the stream.
 */
static long long show_report(int fd)
{
	FILE *in = fdopen(fd, "r");
	long long blocks = 0, last = 0;
	bool seen = false;
	char *line = NULL;
	size_t cap = 0;

	if (!in)
		return -1;
	rewind(in);
	while (getline(&line, &cap, in) >= 0) {
		unsigned long long bytes, n;

		fputs(line, stderr);
		if (!strncmp(line, "leaks ", 6)) {
			seen = true;
		} else if (sscanf(line, "%llu bytes in %llu blocks", &bytes, &n) == 2) {
			last = (long long)n;
			blocks += last;
		} else if (strstr(line, "#0 _IO_file_doallocate+")) {
			blocks -= last;
		}
	}
	free(line);
	fclose(in);
	return seen ? blocks : -1;
}

static int leak_status(const struct run *r, int status, int fd)
{
	long long blocks = show_report(fd);
	int own = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);

	if (blocks < 0)
		cmd_warn("run: %s left no report: it ended by a signal, _exit or exec, or closed "
			 "its way to /proc",
			 r->argv[0]);
	if (own != 0)
		return own;
	return blocks > 0 ? CMD_FINDINGS : blocks < 0 ? CMD_ENV : CMD_FINE;
}

/*
 * The report is written to a memfd of this process, through /proc, so that a program that closes
 * descriptors it does not know cannot lose it.
 */
static int run_with_report(const struct run *r)
{
	int fd = memfd_create("kmem-report", MFD_CLOEXEC), status = 0;
	char path[64];
	sigset_t all, old;
	pid_t pid;

	if (fd < 0)
		return cmd_env("run: memfd_create: %s", strerror(errno));
	snprintf(path, sizeof(path), "/proc/%ld/fd/%d", (long)getpid(), fd);
	setenv("KMEM_MALLOC_OUT", path, 1);
	fflush(NULL);
	/* No signal may come between fork and the handlers, or the child would lose it. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	pid = fork();
	if (pid == 0) {
		sigprocmask(SIG_SETMASK, &old, NULL);
		_exit(exec_program(r));
	}
	child_pid = pid;
	if (pid > 0)
		forward_signals();
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (pid < 0)
		return cmd_env("run: fork: %s", strerror(errno));
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return cmd_env("run: waitpid: %s", strerror(errno));
	}
	child_pid = 0;
	return leak_status(r, status, fd);
}

/* ---- The verb ------------------------------------------------------------------------------ */

static int parse(int argc, char **argv, struct run *r)
{
	static const struct option options[] = {
		{"mem", required_argument, NULL, 'm'},	   {"zones", required_argument, NULL, 'z'},
		{"cmdline", required_argument, NULL, 'c'}, {"stat", no_argument, NULL, 's'},
		{"leaks", no_argument, NULL, 'l'},	   {NULL, 0, NULL, 0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "+m:z:", options, NULL)) != -1) {
		switch (c) {
		case 'm':
			r->mem = optarg;
			break;
		case 'z':
			r->zones = optarg;
			break;
		case 'c':
			r->cmdline = optarg;
			break;
		case 's':
			r->stat = true;
			break;
		case 'l':
			r->leaks = true;
			break;
		default:
			fputs("Try 'kmem help run'.\n", stderr);
			return CMD_USAGE;
		}
	}
	if (optind >= argc || !argv[optind][0])
		return cmd_usage("run: which program? (kmem run [options] -- program args)");
	if ((r->mem && strpbrk(r->mem, " \t\n")) || (r->zones && strpbrk(r->zones, " \t\n")))
		return cmd_usage("run: a size or a zone table has no blanks in it");
	r->argv = argv + optind;
	return CMD_FINE;
}

static int run_main(int argc, char **argv)
{
	struct run r = {0};
	char *preload = NULL;
	int rc = parse(argc, argv, &r);

	if (rc == CMD_FINE)
		rc = check_program(r.argv[0], &preload);
	if (rc == CMD_FINE)
		rc = set_environment(&r, preload);
	free(preload);
	if (rc != CMD_FINE)
		return rc;
	return r.leaks ? run_with_report(&r) : exec_program(&r);
}

const struct verb verb_run = {
	.name = "run",
	.brief = "run a program on libkmem's malloc",
	.usage = "usage: kmem run [options] [--] program [argument ...]\n"
		 "\n"
		 "  --mem SIZE       memory of the machine, such as 512M (default: all of it)\n"
		 "  --zones TABLE    i386, x86_64, flat, or a table such as dma:16M,normal:rest\n"
		 "  --cmdline TEXT   more words of the machine's command line; see kmem(7)\n"
		 "  --stat           a summary when the program exits, on standard error\n"
		 "  --leaks          what was never freed, by the stack that asked for it\n"
		 "\n"
		 "The exit status is the program's own (128 + n for signal n). With --leaks it is\n"
		 "1 when the program succeeded and left blocks behind.\n",
	.run = run_main,
};
