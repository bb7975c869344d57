/* SPDX-License-Identifier: MIT */
/*
 * Arithmetic that needs no helper of the compiler's library, and where assertions end.
 */
#include "base/base.h"

/*
 * Schoolbook division, one bit a step: 64 steps of shift and subtract. A 32-bit target only gets
 * here with a dividend or divisor above 32 bits, which no fast path has.
 */
static u64 div_u64_by_bits(u64 n, u64 d)
{
	u64 quotient = 0, rest = 0;

	for (unsigned int bit = 0; bit < 64; bit++) {
		/* The bit shifted out of rest is the 65th of the running remainder. */
		bool carry = (rest >> 63) != 0;

		rest = (rest << 1) | (n >> 63);
		n <<= 1;
		quotient <<= 1;
		if (carry || rest >= d) {
			rest -= d;
			quotient |= 1;
		}
	}
	assert_debug(rest < d);
	return quotient;
}

u64 div_u64(u64 n, u64 d)
{
	assert_always(d != 0);
	/* On a 64-bit target an unsigned long holds both, and this is the machine's division. */
	if (likely(n == (unsigned long)n && d == (unsigned long)d))
		return (unsigned long)n / (unsigned long)d;
	return div_u64_by_bits(n, d);
}

/* The largest r with r * r <= n, from the top bit down: 32 steps, no division. */
u64 isqrt_u64(u64 n)
{
	u64 root = 0, bit = (u64)1 << 62;

	while (bit > n)
		bit >>= 2;
	for (; bit != 0; bit >>= 2) {
		if (n >= root + bit) {
			n -= root + bit;
			root = (root >> 1) + bit;
		} else {
			root >>= 1;
		}
	}
	assert_debug(root <= UINT32_MAX);
	return root;
}

/*
 * An invariant is broken: memory can no longer be trusted, so nothing of the machine is asked, not
 * even the log hook, and the text goes to the port.
 */
void assert_fail(const char *expr, const char *file, int line)
{
	char what[256], frame[32];
	void *pc[12];
	unsigned int n, i;

	fmt_snprintf(what, sizeof(what), "kmem: assertion failed: %s at %s:%d", expr, file, line);
	port_log(KMEM_LOG_ERR, what, str_len(what));
	port_log(KMEM_LOG_ERR, "\n", 1);
	n = port_backtrace(pc, ARRAY_SIZE(pc));
	for (i = 0; i < n; i++) {
		fmt_snprintf(frame, sizeof(frame), " [<%p>]\n", pc[i]);
		port_log(KMEM_LOG_ERR, frame, str_len(frame));
	}
	port_panic(what);
}
