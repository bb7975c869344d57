# src/sync/lock.c
# Interrupts are masked after the lock is taken: one that comes in between spins for ever.
/^irqflags_t lock_take\(/,/^\}/ {
	/flags = port_irq_save\(\);/d
	s/port_spin_lock\(&l->spin\);/&\n\tport_point();\n\tflags = port_irq_save();/
}
