/* SPDX-License-Identifier: MIT */
#include <linux/highmem.h>
