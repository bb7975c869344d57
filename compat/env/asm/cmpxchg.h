/* SPDX-License-Identifier: MIT */
/* Exchanges of 1, 2, 4 and 8 bytes, fully ordered. */
#ifndef KMEM_ENV_ASM_CMPXCHG_H
#define KMEM_ENV_ASM_CMPXCHG_H

#define arch_xchg(ptr, new)                                                          \
	({                                                                           \
		__auto_type __kmem_p = (ptr);                                        \
		(typeof(*(ptr)))__atomic_exchange_n(__kmem_p, (typeof(*(ptr)))(new), \
						    __ATOMIC_SEQ_CST);               \
	})
#define arch_cmpxchg(ptr, old, new)                                                        \
	({                                                                                 \
		__auto_type __kmem_p = (ptr);                                              \
		typeof(*(ptr)) __kmem_o = (typeof(*(ptr)))(old);                           \
		__atomic_compare_exchange_n(__kmem_p, &__kmem_o, (typeof(*(ptr)))(new), 0, \
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);           \
		__kmem_o;                                                                  \
	})
#define arch_cmpxchg_local(ptr, old, new) arch_cmpxchg(ptr, old, new)
#define arch_cmpxchg64(ptr, old, new)	  arch_cmpxchg(ptr, old, new)
#define arch_cmpxchg64_local(ptr, o, n)	  arch_cmpxchg(ptr, o, n)
#define arch_sync_cmpxchg(ptr, old, new)  arch_cmpxchg(ptr, old, new)

#endif
