/* SPDX-License-Identifier: MIT */
/* Checking build: every assertion, and lock ranks. */
#pragma once
enum { KMEM_DEBUG = 1 };
