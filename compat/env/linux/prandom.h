/* SPDX-License-Identifier: MIT */
#ifndef KMEM_ENV_LINUX_PRANDOM_H
#define KMEM_ENV_LINUX_PRANDOM_H
#define _LINUX_PRANDOM_H

#include <linux/types.h>
#include <kmem/env.h>

/* A generator of one's own; the sequence is not the kernel's. */
struct rnd_state {
	u32 s1, s2, s3, s4;
};
u32 prandom_u32_state(struct rnd_state *state);
void prandom_bytes_state(struct rnd_state *state, void *buf, size_t len);
void prandom_seed_state(struct rnd_state *state, u64 seed);
static inline u32 prandom_u32(void)
{
	u32 v;

	kmem_env_random(&v, sizeof(v));
	return v;
}
static inline u32 prandom_u32_max(u32 ceil)
{
	return (u32)(((u64)prandom_u32() * ceil) >> 32);
}
#define prandom_bytes(buf, n) kmem_env_random((buf), (n))
#define prandom_seed(s) \
	do {            \
	} while (0)
#define next_pseudo_random32(s) ((s)*1664525u + 1013904223u)

#endif
