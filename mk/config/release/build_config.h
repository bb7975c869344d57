/* SPDX-License-Identifier: MIT */
/* Release build: checks of grade debug and audit are compiled out. */
#pragma once
enum { KMEM_DEBUG = 0 };
