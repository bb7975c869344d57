# src/pool/percpu_alloc.c
# Whoever lets go of the lock does not look for what a handler could not free meanwhile.
s/again = atom_load\(&any_dying\) && lock_try\(&pcpu_lock, &flags\);/again = false;/
