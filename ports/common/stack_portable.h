/* SPDX-License-Identifier: MIT */
/*
 * The per-CPU stack verbs in portable C: a trylock per stack. A handler, or another task of the same
 * CPU, that finds the lock taken is refused at once and walks the slow path, so nothing here waits
 * (but drain, which is for task context). One locked instruction a verb.
 *
 * The owner of a stack stores sheaf and count whole, since the statistics may be looking at them.
 *
 * A port includes this from its port_inline.h after port_cpu() and port_point() are defined. One that
 * has something faster defines PORT_STACK_OWN before, and the verbs port_stack_... after.
 */
#ifndef PORT_STACK_PORTABLE_H
#define PORT_STACK_PORTABLE_H

static inline struct port_stack *port_stack_at(uint32_t off, unsigned int cpu)
{
	return (struct port_stack *)(void *)(kmem_percpu_base + cpu * kmem_percpu_stride + off);
}

static inline struct port_stack *port_stack_first(uint32_t off)
{
	return (struct port_stack *)(void *)(kmem_percpu_base + off);
}

static inline uint32_t stack_off_of(const struct port_stack *first)
{
	return (uint32_t)((const unsigned char *)first - kmem_percpu_base);
}

static inline bool stack_lock_enter(struct port_stack *s)
{
	port_point();
	return __atomic_exchange_n(&s->busy, 1u, __ATOMIC_ACQUIRE) == 0;
}

static inline void stack_lock_leave(struct port_stack *s)
{
	port_point();
	__atomic_store_n(&s->busy, 0u, __ATOMIC_RELEASE); /* pairs with stack_lock_enter */
}

static inline void stack_lock_init(uint32_t off, unsigned int cpu, uint32_t cap)
{
	*port_stack_at(off, cpu) = (struct port_stack){.cap = cap};
}

static inline void *stack_lock_pop(uint32_t off)
{
	struct port_stack *s = port_stack_at(off, port_cpu());
	struct sheaf *sheaf;
	void *p = NULL;

	if (!stack_lock_enter(s))
		return NULL;
	sheaf = s->sheaf;
	if (sheaf && sheaf->n) {
		uint32_t n = sheaf->n - 1;

		p = sheaf->slot[n];
		__atomic_store_n(&sheaf->n, n, __ATOMIC_RELAXED);
	}
	stack_lock_leave(s);
	return p;
}

static inline bool stack_lock_push(uint32_t off, void *p)
{
	struct port_stack *s = port_stack_at(off, port_cpu());
	struct sheaf *sheaf;
	bool done = false;

	if (!stack_lock_enter(s))
		return false;
	sheaf = s->sheaf;
	if (sheaf && sheaf->n < sheaf->cap && !(sheaf->n && sheaf->slot[sheaf->n - 1] == p)) {
		sheaf->slot[sheaf->n] = p;
		__atomic_store_n(&sheaf->n, sheaf->n + 1, __ATOMIC_RELAXED);
		done = true;
	}
	stack_lock_leave(s);
	return done;
}

static inline struct sheaf *stack_lock_take(uint32_t off, unsigned int cpu)
{
	struct port_stack *s = port_stack_at(off, cpu);
	struct sheaf *sheaf;

	if (!stack_lock_enter(s))
		return NULL;
	sheaf = s->sheaf;
	__atomic_store_n(&s->sheaf, NULL, __ATOMIC_RELAXED);
	stack_lock_leave(s);
	return sheaf;
}

static inline bool stack_lock_put(uint32_t off, unsigned int cpu, struct sheaf *sheaf)
{
	struct port_stack *s = port_stack_at(off, cpu);
	bool done;

	if (!stack_lock_enter(s))
		return false;
	done = s->sheaf == NULL;
	if (done)
		__atomic_store_n(&s->sheaf, sheaf, __ATOMIC_RELAXED);
	stack_lock_leave(s);
	return done;
}

static inline const struct sheaf *stack_lock_peek(uint32_t off, unsigned int cpu, uint32_t *n)
{
	const struct sheaf *sheaf;

	port_point();
	sheaf = __atomic_load_n(&port_stack_at(off, cpu)->sheaf, __ATOMIC_RELAXED);
	*n = sheaf ? __atomic_load_n(&sheaf->n, __ATOMIC_RELAXED) : 0;
	return sheaf;
}

static inline void stack_lock_freeze(uint32_t off, unsigned int cpu)
{
	struct port_stack *s = port_stack_at(off, cpu);

	while (!stack_lock_enter(s))
		port_relax();
}

static inline void stack_lock_thaw(uint32_t off, unsigned int cpu)
{
	stack_lock_leave(port_stack_at(off, cpu));
}

static inline struct sheaf *stack_lock_drain(uint32_t off, unsigned int cpu)
{
	struct port_stack *s = port_stack_at(off, cpu);
	struct sheaf *sheaf;

	stack_lock_freeze(off, cpu);
	sheaf = s->sheaf;
	__atomic_store_n(&s->sheaf, NULL, __ATOMIC_RELAXED);
	stack_lock_thaw(off, cpu);
	return sheaf;
}

static inline uint64_t *count_of(uint64_t *first, size_t stride, unsigned int cpu)
{
	return (uint64_t *)(void *)((unsigned char *)first + cpu * stride);
}

/* Several CPUs may be folded into one. */
static inline bool count_atomic(uint64_t *first, size_t stride, uint64_t n)
{
	port_point();
	__atomic_fetch_add(count_of(first, stride, port_cpu()), n, __ATOMIC_RELAXED);
	return true;
}

#ifndef PORT_COUNT_OWN
#define port_hit_count(first, stride, n)  count_atomic(first, stride, n)
#define port_count_slow(first, stride, n) ((void)count_atomic(first, stride, n))
#endif

static inline size_t stack_lock_pop_many(uint32_t off, void **out, size_t nr)
{
	size_t n = 0;

	while (n < nr && (out[n] = stack_lock_pop(off)))
		n++;
	return n;
}

static inline size_t stack_lock_push_many(uint32_t off, void *const *in, size_t nr)
{
	size_t n = 0;

	while (n < nr && stack_lock_push(off, in[n]))
		n++;
	return n;
}

#ifndef PORT_STACK_OWN
#define PORT_AREA_STRIDE		  kmem_percpu_stride
#define port_areas(nr, base, shift)	  ((void)(base), (void)(shift), 0)
#define port_stack_layout()		  ((void)0)
#define port_task_set(value)		  ((void)(port_task()->preempt = (value)))
#define port_task_pop(first)		  (port_task()->preempt ? NULL : port_hit_pop(first))
#define port_task_push(first, p)	  (!port_task()->preempt && port_hit_push(first, p))
#define port_stack_init(off, cpu, cap)	  stack_lock_init(off, cpu, cap)
#define port_stack_pop(off)		  stack_lock_pop(off)
#define port_stack_push(off, p)		  stack_lock_push(off, p)
#define port_stack_take(off, cpu)	  stack_lock_take(off, cpu)
#define port_stack_put(off, cpu, s)	  stack_lock_put(off, cpu, s)
#define port_stack_drain(off, cpu)	  stack_lock_drain(off, cpu)
#define port_stack_peek(off, cpu, n)	  stack_lock_peek(off, cpu, n)
#define port_stack_freeze(off, cpu)	  stack_lock_freeze(off, cpu)
#define port_stack_frozen(off, cpu)	  true
#define port_stack_thaw(off, cpu)	  stack_lock_thaw(off, cpu)
#define port_hit_never()		  false
#define port_hit_pop(first)		  stack_lock_pop(stack_off_of(first))
#define port_hit_push(first, p)		  stack_lock_push(stack_off_of(first), p)
#define port_hit_pop_many(first, out, nr) stack_lock_pop_many(stack_off_of(first), out, nr)
#define port_hit_push_many(first, in, nr) stack_lock_push_many(stack_off_of(first), in, nr)
#endif

#endif
