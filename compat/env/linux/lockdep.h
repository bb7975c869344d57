/* SPDX-License-Identifier: MIT */
/*
 * The lock checker's names. There is no dependency graph; that a lock is held where the code says so
 * is checked, and recursion is found by the locks themselves.
 */
#ifndef KMEM_ENV_LINUX_LOCKDEP_H
#define KMEM_ENV_LINUX_LOCKDEP_H
#define __LINUX_LOCKDEP_H
#define __LINUX_LOCKDEP_TYPES_H

#include <linux/types.h>
#include <kmem/context.h>

struct lock_class_key {
	char unused;
};
struct lockdep_map {
	char unused;
};
/* Of callbacks of RCU: taken to be held where somebody asks. */
extern struct lockdep_map rcu_callback_map;
#define lock_is_held(map) ((void)(map), 1)
struct pin_cookie {
	char unused;
};
enum { SINGLE_DEPTH_NESTING = 1, LOCK_STATE_NOT_HELD = 0, LOCK_STATE_HELD = 1 };

#define STATIC_LOCKDEP_MAP_INIT(name, key) \
	{                                  \
		0                          \
	}
#define LOCKDEP_INIT_MAP lockdep_init_map
#define lockdep_init_map(map, name, key, sub) \
	do {                                  \
		(void)(key);                  \
	} while (0)
#define lockdep_init_map_wait(map, name, key, sub, in) \
	do {                                           \
		(void)(key);                           \
	} while (0)
#define lockdep_init_map_waits(map, name, key, sub, in, out) \
	do {                                                 \
		(void)(key);                                 \
	} while (0)
#define lockdep_register_key(key) \
	do {                      \
		(void)(key);      \
	} while (0)
#define lockdep_unregister_key(key) \
	do {                        \
		(void)(key);        \
	} while (0)
#define lockdep_set_class(lock, key) \
	do {                         \
		(void)(key);         \
	} while (0)
#define lockdep_set_class_and_name(lock, key, name) \
	do {                                        \
		(void)(key);                        \
	} while (0)
#define lockdep_set_class_and_subclass(lock, key, sub) \
	do {                                           \
		(void)(key);                           \
	} while (0)
#define lockdep_set_subclass(lock, sub) \
	do {                            \
	} while (0)
#define lockdep_set_novalidate_class(lock) \
	do {                               \
	} while (0)
#define lockdep_match_class(lock, key) 0
#define lock_acquire(l, s, t, r, c, n, i) \
	do {                              \
	} while (0)
#define lock_release(l, i) \
	do {               \
	} while (0)
#define lock_acquire_exclusive(l, s, t, n, i) \
	do {                                  \
	} while (0)
#define lock_acquire_shared(l, s, t, n, i) \
	do {                               \
	} while (0)
#define lock_acquire_shared_recursive(l, s, t, n, i) \
	do {                                         \
	} while (0)
#define spin_acquire(l, s, t, i) \
	do {                     \
	} while (0)
#define spin_release(l, i) \
	do {               \
	} while (0)
#define mutex_acquire(l, s, t, i) \
	do {                      \
	} while (0)
#define mutex_release(l, i) \
	do {                \
	} while (0)
#define rwsem_acquire(l, s, t, i) \
	do {                      \
	} while (0)
#define rwsem_acquire_read(l, s, t, i) \
	do {                           \
	} while (0)
#define rwsem_release(l, i) \
	do {                \
	} while (0)
#define lock_map_acquire(l) \
	do {                \
	} while (0)
#define lock_map_acquire_read(l) \
	do {                     \
	} while (0)
#define lock_map_release(l) \
	do {                \
	} while (0)
#define lockdep_off() \
	do {          \
	} while (0)
#define lockdep_on() \
	do {         \
	} while (0)
#define lockdep_is_held_type(lock, r) lockdep_is_held(lock)
#define lockdep_depth(task)	      0
#define lockdep_pin_lock(l)	      ((struct pin_cookie){0})
#define lockdep_repin_lock(l, c) \
	do {                     \
		(void)(c);       \
	} while (0)
#define lockdep_unpin_lock(l, c) \
	do {                     \
		(void)(c);       \
	} while (0)
#define might_lock(lock)      \
	do {                  \
		(void)(lock); \
	} while (0)
#define might_lock_read(lock) \
	do {                  \
		(void)(lock); \
	} while (0)
#define might_lock_nested(lock, sub) \
	do {                         \
		(void)(lock);        \
	} while (0)
#define debug_locks 1
#define debug_check_no_locks_held() \
	do {                        \
	} while (0)

struct raw_spinlock;
struct spinlock;
struct mutex;
struct rw_semaphore;
struct rwlock;
struct ww_mutex;
bool kmem_env_held_raw(const struct raw_spinlock *l);
bool kmem_env_held_spin(const struct spinlock *l);
bool kmem_env_held_mutex(const struct mutex *l);
bool kmem_env_held_rwsem(const struct rw_semaphore *l);
bool kmem_env_held_rwlock(const struct rwlock *l);
static inline bool kmem_env_held_unknown(const void *l)
{
	(void)l;
	return true;
}
#define lockdep_is_held(lock) \
	_Generic((lock),                                                   \
		struct raw_spinlock *: kmem_env_held_raw,                  \
		const struct raw_spinlock *: kmem_env_held_raw,            \
		struct spinlock *: kmem_env_held_spin,                     \
		const struct spinlock *: kmem_env_held_spin,               \
		struct mutex *: kmem_env_held_mutex,                       \
		const struct mutex *: kmem_env_held_mutex,                 \
		struct rw_semaphore *: kmem_env_held_rwsem,                \
		const struct rw_semaphore *: kmem_env_held_rwsem,          \
		struct rwlock *: kmem_env_held_rwlock,                     \
		default: kmem_env_held_unknown)(lock)
#define lockdep_assert(cond)	  WARN_ON_ONCE(!(cond))
#define lockdep_assert_once(cond) WARN_ON_ONCE(!(cond))
#define lockdep_assert_held(l)                              \
	do {                                                \
		if (!lockdep_is_held(l))                    \
			__kmem_lockdep(__FILE__, __LINE__); \
	} while (0)
#define lockdep_assert_held_write(l) lockdep_assert_held(l)
#define lockdep_assert_held_read(l)  lockdep_assert_held(l)
#define lockdep_assert_held_once(l)  lockdep_assert_held(l)
#define lockdep_assert_not_held(l) \
	do {                       \
		(void)(l);         \
	} while (0)
#define lockdep_assert_none_held_once() \
	do {                            \
	} while (0)
#define lockdep_assert_irqs_enabled() \
	do {                          \
	} while (0)
#define lockdep_assert_irqs_disabled() \
	do {                           \
	} while (0)
#define lockdep_assert_in_irq() \
	do {                    \
	} while (0)
#define lockdep_assert_preemption_enabled() \
	do {                                \
	} while (0)
#define lockdep_assert_preemption_disabled() \
	do {                                 \
	} while (0)
#define lockdep_assert_in_softirq() \
	do {                        \
	} while (0)
#define lockdep_assert_RT_in_threaded_ctx() \
	do {                                \
	} while (0)
void __kmem_lockdep(const char *file, int line);

#endif
