/* SPDX-License-Identifier: MIT */
/* Random numbers: the host's, or a sequence of the number given by "env.seed=". */
#ifndef KMEM_ENV_LINUX_RANDOM_H
#define KMEM_ENV_LINUX_RANDOM_H
#define _LINUX_RANDOM_H

#include <linux/types.h>
#include <kmem/env.h>
#ifndef KMEM_ENV_HOSTED
#include <linux/bug.h>
#include <linux/kernel.h>
#include <linux/list.h>
#include <linux/once.h>
#include <uapi/linux/random.h>
#endif

static inline void get_random_bytes(void *buf, size_t len)
{
	kmem_env_random(buf, len);
}
static inline u32 get_random_u32(void)
{
	u32 v;

	kmem_env_random(&v, sizeof(v));
	return v;
}
static inline u64 get_random_u64(void)
{
	u64 v;

	kmem_env_random(&v, sizeof(v));
	return v;
}
#define get_random_u8()		    ((u8)get_random_u32())
#define get_random_u16()	    ((u16)get_random_u32())
#define get_random_int()	    ((unsigned int)get_random_u32())
#define get_random_long()	    ((unsigned long)get_random_u64())
#define get_random_bytes_wait(b, n) (get_random_bytes((b), (n)), 0)
#define wait_for_random_bytes()	    0
#define rng_is_initialized()	    true
#define add_device_randomness(b, n) \
	do {                        \
	} while (0)
#define add_interrupt_randomness(i) \
	do {                        \
	} while (0)
static inline u32 get_random_u32_below(u32 ceil)
{
	return (u32)(((u64)get_random_u32() * ceil) >> 32);
}
#define get_random_u32_above(floor)	 ((floor) + 1 + get_random_u32_below(~(u32)(floor)))
#define get_random_u32_inclusive(lo, hi) ((lo) + get_random_u32_below((hi) - (lo) + 1))
#include <linux/prandom.h>

#endif
