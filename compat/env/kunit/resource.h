/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_KUNIT_RESOURCE_H
#define KMEM_ENV_KUNIT_RESOURCE_H

#include <kunit/test.h>

#endif
