# ports/common/stack_portable.h
# victims: kmalloc: hit
# A stack lets a second verb in: what a handler pops is popped once more.
/^static inline bool stack_lock_enter/,/^\}/ s/== 0;/<= 1;/
