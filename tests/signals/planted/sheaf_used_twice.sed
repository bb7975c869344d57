# ports/common/stack_portable.h
# victims: kmalloc: the spare
# A sheaf is looked up before the stack is entered: one that a handler has put elsewhere is taken too.
/^static inline struct sheaf \*stack_lock_take/,/^\}/ {
	s/struct sheaf \*sheaf;/struct sheaf *sheaf = s->sheaf;/
	/^\tsheaf = s->sheaf;/d
}
