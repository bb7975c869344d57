/* SPDX-License-Identifier: MIT */
/* A port with a place of its own for the per-CPU areas, which may be refused; others have none to refuse. */
#ifndef TESTS_BOOT_AREAS_H
#define TESTS_BOOT_AREAS_H

#include <stdbool.h>

extern bool refuse_areas;

#endif
