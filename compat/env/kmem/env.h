/* SPDX-License-Identifier: MIT */
/*
 * The environment around the allocator: what kernel code finds in a kernel besides memory. A program
 * of kernel sources is an environment that runs their initcalls:
 *
 *	int main(int argc, char **argv)
 *	{
 *		return kmem_env_main(argc, argv);
 *	}
 *
 * which is also the main() that libkmem-env.a supplies where there is none. This header declares what
 * the headers of compat/env/linux call, and what a hosted program may call itself. It needs neither
 * the C library nor a kernel tree. docs/env.md says what is there and how it differs.
 */
#ifndef KMEM_ENV_KMEM_ENV_H
#define KMEM_ENV_KMEM_ENV_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Life ------------------------------------------------------------------------------------- */

/*
 * The arguments are a kernel command line, a word each: "module.parameter=value", "parameter=value",
 * or an option of kmem_boot(). Boots the machine, runs the initcalls by level, then the exit calls
 * in reverse, waits for callbacks and work, checks the machine, and stops it. "expect=NAME:VALUE"
 * says that the initcall NAME ("*": any) returns VALUE (a number; "neg": any error); "expect=warnings:N"
 * that it warns so many times, "expect=leaks:N" that it leaks no more than that; "env.seed=N" repeats
 * the random numbers; "env.press" keeps the machine full of pages that reclaim has to take back,
 * "env.press=ORDER" of larger blocks; "loglevel=N" shows messages below that level.
 *
 * Returns the exit status: 0; 1 after a warning, a misuse, a failed initcall or test, a leak, a fault
 * of kmem_check(); 2 for a bad command line. BUG() and panic() end the program by abort().
 */
int kmem_env_main(int argc, char **argv);
/*
 * The parts of it, for a program that has a main of its own: start boots the machine unless one runs
 * (0, or a negative errno, said); initcalls returns how many failed; stop returns the status.
 */
int kmem_env_start(const char *cmdline);
int kmem_env_initcalls(void);
int kmem_env_stop(void);
/* Waits until callbacks of RCU and work that was queued are done. */
void kmem_env_quiesce(void);
/* Reports so far: warnings, and everything that makes the status 1. */
unsigned long kmem_env_warnings(void);
unsigned long kmem_env_failures(void);
void kmem_env_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* ---- Reports ---------------------------------------------------------------------------------- */

/* The kernel's formats, %pS, %pe, %pV and their like included; the terminator always. */
int kmem_env_vsnprintf(char *buf, size_t size, const char *fmt, va_list ap);
int kmem_env_snprintf(char *buf, size_t size, const char *fmt, ...);
int kmem_env_sprintf(char *buf, const char *fmt, ...);
int kmem_env_vsprintf(char *buf, const char *fmt, va_list ap);
int vscnprintf(char *buf, size_t size, const char *fmt, va_list ap);
int scnprintf(char *buf, size_t size, const char *fmt, ...);
/* A line whose first bytes may be SOH and a level; levels at or above "loglevel=" are not shown. */
int _printk(const char *fmt, ...);
int vprintk(const char *fmt, va_list ap);
void dump_stack(void);
void panic(const char *fmt, ...) __attribute__((noreturn));
void kmem_env_bug(const char *file, int line, const char *fn) __attribute__((noreturn));
/* fmt NULL: no text of its own. */
void kmem_env_warn(const char *file, int line, const char *fn, const char *fmt, ...);

/* ---- Waiting ---------------------------------------------------------------------------------- */

/* One word that tasks sleep on while it is `seen`, until the time (UINT64_MAX: none). */
void kmem_env_wait(const unsigned int *word, unsigned int seen, uint64_t ns);
void kmem_env_wake(const unsigned int *word, int nr);
uint64_t kmem_env_now_ns(void);
uint64_t kmem_env_real_ns(void);
void kmem_env_sleep_ns(uint64_t ns);
void kmem_env_relax(void);
unsigned long kmem_env_jiffies(void);
void kmem_env_random(void *buf, size_t len);

/*
 * The one lock under spinlocks, mutexes and the like: 0 free, 1 held, 2 held and waited for; the
 * owner is kept to find recursion. And the one under reader-writer locks.
 */
struct kmem_env_lock {
	unsigned int word, owner;
};
void kmem_env_lock(struct kmem_env_lock *l, const char *what);
bool kmem_env_trylock(struct kmem_env_lock *l);
void kmem_env_unlock(struct kmem_env_lock *l, const char *what);
bool kmem_env_locked(const struct kmem_env_lock *l);
bool kmem_env_locked_by_me(const struct kmem_env_lock *l);

struct kmem_env_rw {
	unsigned int word, owner;
};
void kmem_env_read_lock(struct kmem_env_rw *l);
bool kmem_env_read_trylock(struct kmem_env_rw *l);
void kmem_env_read_unlock(struct kmem_env_rw *l);
void kmem_env_write_lock(struct kmem_env_rw *l, const char *what);
bool kmem_env_write_trylock(struct kmem_env_rw *l);
void kmem_env_write_unlock(struct kmem_env_rw *l);
void kmem_env_downgrade(struct kmem_env_rw *l);
bool kmem_env_rw_locked(const struct kmem_env_rw *l);
bool kmem_env_rw_write_locked(const struct kmem_env_rw *l);

/* A copy for each CPU: of alloc_percpu(), or of a variable of DEFINE_PER_CPU. */
void *kmem_env_per_cpu(const void *p, unsigned int cpu);
unsigned int kmem_env_cpu(void);

#ifdef __cplusplus
}
#endif

#endif
