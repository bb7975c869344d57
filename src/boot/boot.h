/* SPDX-License-Identifier: MIT */
/* Floor 8, boot: bring-up order, shutdown, the tunables table. */
#pragma once
#include "pool/pool.h"

/* Parses the command line into opt; 0 or -KE_INVAL with why in err. Changes opt only on success. */
int tunables_parse(const char *cmdline, struct kmem_options *opt, char *err, size_t err_len);
/* The zone table once the size of memory is known; same rules. */
int tunables_zones(struct kmem_options *opt, u64 mem_bytes, char *err, size_t err_len);
/*
 * One option of a running machine: min_free_kbytes, watermark_scale_factor, lowmem_reserve_ratio.
 * 0, or -KE_INVAL (not such an option, bad value) and opt is as it was.
 */
int tunables_set(const char *name, const char *value, struct kmem_options *opt);

/* For fork: the boot lock, when nobody is starting or stopping the machine. */
void boot_lock_settled(void);
void boot_unlock_settled(void);
/* In a child: statistics of its own, under its own number. */
void boot_stat_child(void);

/* fork.c, called by the port around fork. */
void boot_fork_prepare(void);
void boot_fork_parent(void);
void boot_fork_child(void);
