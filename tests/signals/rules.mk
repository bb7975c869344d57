# SPDX-License-Identifier: MIT
# Stepping is by the trap flag of x86, and needs real instructions; sanitizers would only add theirs. What the library asks of the host
# is watched: nobody may wait in a program of one thread, and no thread may be made.
TEST_ONLY.signals := x86_64-release x86_64-debug i386-debug
TEST_LIBS.signals := -Wl,--wrap=port_spin_lock_slow -Wl,--wrap=port_spawn -Wl,--wrap=port_meta \
	-Wl,--wrap=port_window_map -Wl,--wrap=port_window_unmap
