/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_KUNIT_TEST_BUG_H
#define KMEM_ENV_KUNIT_TEST_BUG_H

#include <kunit/test.h>

#endif
