# src/sync/lock.c
# victims: kfree: a full sheaf
# The section is marked after the lock is taken: a handler in between waits for it.
/^irqflags_t lock_take\(/,/^\}/ {
	/flags = port_irq_save\(\);/d
	s/port_spin_lock\(&l->spin\);/&\n\tflags = port_irq_save();/
}
