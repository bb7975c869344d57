/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_KUNIT_ASSERT_H
#define KMEM_ENV_KUNIT_ASSERT_H

#include <kunit/test.h>

#endif
