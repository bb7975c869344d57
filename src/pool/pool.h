/* SPDX-License-Identifier: MIT */
/*
 * Floor 7, pool: what stands on pages and objects together.
 *
 * Glossary
 *	owner	who lets go of a page that is on the LRU lists (kmem/lru.h)
 */
#pragma once
#include "slab/slab.h"

/* ---- lru.c -------------------------------------------------------------------------------------- */

void lru_init(void); /* forgets owners and lists; at boot and shutdown */
extern struct kmem_provider lru_provider;
int lru_check(void);
void lru_fork_lock(void);
void lru_fork_unlock(bool child);
