/* SPDX-License-Identifier: MIT */
/*
 * The command kmem: what its verbs share. One file per verb, named after it.
 *
 * Exit status of every verb: 0 fine, 1 findings (a leak, a mismatch), 2 wrong usage or a file that
 * is not what it should be, 3 the environment (no such process, no permission, no library, a full
 * disk). Messages go to standard error as "kmem VERB: what: why".
 */
#ifndef KMEM_CMD_H
#define KMEM_CMD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum cmd_status { CMD_FINE = 0, CMD_FINDINGS = 1, CMD_USAGE = 2, CMD_ENV = 3 };

struct verb {
	const char *name;
	const char *brief;		   /* one line, for the list of verbs */
	const char *usage;		   /* the whole help text */
	int (*run)(int argc, char **argv); /* argv[0] is "kmem VERB" */
};
extern const struct verb verb_run, verb_replay, verb_stat, verb_sweep, verb_sim, verb_bench,
	verb_cc, verb_help;
extern const struct verb *const cmd_verbs[]; /* ends with NULL */
const struct verb *cmd_find(const char *name);

/* Print "kmem VERB: text" to standard error; usage adds the line that says where help is. */
int cmd_usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The same status for an operand that is not what it should be: one line, no advice. */
int cmd_bad(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
int cmd_env(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void cmd_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Memory of the command itself; ends the program with status 3 when there is none. */
void *cmd_grow(void *p, size_t n, size_t size);
char *cmd_text(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Decimal number up to max, nothing after it. */
bool cmd_number(const char *s, uint64_t max, uint64_t *value);
/* 12345678 as "12,345,678", in one of a few static buffers. */
const char *cmd_commas(uint64_t n);
/* Bytes as "12.3 MB", likewise. */
const char *cmd_bytes(uint64_t n);

/* The folder the command's own file lies in, or ".". */
const char *cmd_dir(void);
/*
 * The first of the candidates (a list that ends with NULL) that is a file; NULL if none is. A
 * candidate that starts with '@' lies relative to cmd_dir(). found is the path, to be freed.
 */
char *cmd_locate(const char *const *candidates);
/* The same, or NULL after a message that the verb cannot find what. */
char *cmd_part(const char *verb, const char *const *candidates, const char *what);
/*
 * Become python3, with the words (a list that ends with NULL) and then the verb's arguments. Returns
 * only if that fails.
 */
int cmd_python(const char *verb, char *const *words, int argc, char **argv);
/* The candidates as one text, "a, b and c", for the message that none was found; to be freed. */
char *cmd_tried(const char *const *candidates);

#endif
