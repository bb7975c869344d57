/* SPDX-License-Identifier: MIT */
/*
 * Floor 9, report: the statistics brought up to date, and the kernel's texts made from them.
 *
 * Glossary
 *	snapshot	struct kmem_stat, of this process or mapped from another one's
 *	text	one of the kernel's /proc files, formatted from a snapshot alone
 */
#pragma once
#include "boot/boot.h"

/* Brings kmem_machine.stat up to date with zones and per-CPU lists. Any context but a section. */
void snapshot_refresh(void);
