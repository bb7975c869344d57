/* SPDX-License-Identifier: MIT */
/*
 * The one door to shared memory. Whatever is shared and not guarded by a lock is read and written
 * through these; each is a scheduling point of the simulator. Nothing else under src/ may use
 * __atomic, __sync, _Atomic or volatile (a test looks).
 *
 * The plain forms are relaxed. Every acquire or release names its partner in a comment where it
 * is used.
 */
#pragma once
#include "base/base.h"

#define atom_load(p)	     (port_point(), __atomic_load_n((p), __ATOMIC_RELAXED))
#define atom_load_acq(p)     (port_point(), __atomic_load_n((p), __ATOMIC_ACQUIRE))
#define atom_store(p, v)     (port_point(), __atomic_store_n((p), (v), __ATOMIC_RELAXED))
#define atom_store_rel(p, v) (port_point(), __atomic_store_n((p), (v), __ATOMIC_RELEASE))
#define atom_add(p, v)	     (port_point(), __atomic_fetch_add((p), (v), __ATOMIC_RELAXED))
#define atom_sub(p, v)	     (port_point(), __atomic_fetch_sub((p), (v), __ATOMIC_RELAXED))
/* Sequentially consistent fetch-and-add/sub, for counts that decide ownership. */
#define atom_add_sc(p, v) (port_point(), __atomic_fetch_add((p), (v), __ATOMIC_SEQ_CST))
#define atom_sub_sc(p, v) (port_point(), __atomic_fetch_sub((p), (v), __ATOMIC_SEQ_CST))
#define atom_or(p, v)	  (port_point(), __atomic_fetch_or((p), (v), __ATOMIC_ACQ_REL))
#define atom_and(p, v)	  (port_point(), __atomic_fetch_and((p), (v), __ATOMIC_ACQ_REL))
#define atom_xchg(p, v)	  (port_point(), __atomic_exchange_n((p), (v), __ATOMIC_ACQ_REL))
/* *seen is updated when it fails. */
#define atom_cas(p, seen, v) \
	(port_point(),       \
	 __atomic_compare_exchange_n((p), (seen), (v), false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
/* Where the load may become a part of the instruction that uses it: plain, but for who watches races. */
#define atom_peek(p) (KMEM_DEBUG ? atom_load(p) : (port_point(), *(p)))
#define atom_fence() (port_point(), __atomic_thread_fence(__ATOMIC_SEQ_CST))
