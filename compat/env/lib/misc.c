// SPDX-License-Identifier: MIT
/* Calls of the kernel that belong to no part of the environment and are small. */
#include "internal.h"
#include <errno.h>
#include <linux/fs.h>
#include <string.h>

ssize_t memory_read_from_buffer(void *to, size_t count, loff_t *pos, const void *from,
				size_t available)
{
	size_t at = (size_t)*pos, n;

	if (*pos < 0)
		return -EINVAL;
	if (at >= available)
		return 0;
	n = available - at < count ? available - at : count;
	memcpy(to, (const char *)from + at, n);
	*pos += (loff_t)n;
	return (ssize_t)n;
}

ssize_t simple_read_from_buffer(void *to, size_t count, loff_t *pos, const void *from,
				size_t available)
{
	return memory_read_from_buffer(to, count, pos, from, available);
}

ssize_t simple_write_to_buffer(void *to, size_t available, loff_t *pos, const void *from,
			       size_t count)
{
	size_t at = (size_t)*pos, n;

	if (*pos < 0)
		return -EINVAL;
	if (at >= available || !count)
		return 0;
	n = available - at < count ? available - at : count;
	memcpy((char *)to + at, from, n);
	*pos += (loff_t)n;
	return (ssize_t)n;
}
