// SPDX-License-Identifier: MIT
/* A generator with a state of the user's: xorshift128, which is never all zero. */
#include "internal.h"
#include <linux/prandom.h>

u32 prandom_u32_state(struct rnd_state *s)
{
	u32 t = s->s1 ^ (s->s1 << 11);

	s->s1 = s->s2;
	s->s2 = s->s3;
	s->s3 = s->s4;
	s->s4 ^= (s->s4 >> 19) ^ t ^ (t >> 8);
	return s->s4;
}

void prandom_seed_state(struct rnd_state *s, u64 seed)
{
	u32 mix = (u32)(seed >> 32) ^ (u32)seed;

	*s = (struct rnd_state){mix ^ 0x9e3779b9u, mix ^ 0x7f4a7c15u, mix ^ 0xbf58476du, mix | 1u};
	for (int i = 0; i < 16; i++)
		prandom_u32_state(s);
}

void prandom_bytes_state(struct rnd_state *s, void *buf, size_t len)
{
	unsigned char *at = buf;

	while (len) {
		u32 v = prandom_u32_state(s);
		size_t n = len < sizeof(v) ? len : sizeof(v);

		__builtin_memcpy(at, &v, n);
		at += n;
		len -= n;
	}
}
