# SPDX-License-Identifier: MIT
# bench-lines: the core in the simulator, compiled so that it tells each access to memory
# (bench/lines/lines.h). The simulator itself and the program are not: what they do no machine has. Included where PORT=sim.

BENCH_LINES := $(B)/bench-lines
BENCH_LINES_OBJ := $(call objs,$(wildcard bench/lines/*.c))
$(BENCH_LINES_OBJ) $(B)/obj/ports/sim/%.o: KMEM_CFLAGS += -fno-sanitize=thread
$(BENCH_LINES_OBJ): KMEM_CFLAGS += -D_GNU_SOURCE

# The functions that gcc calls are in runtime.c, not in its library: no SAN here. Addresses are those of the
# file, for --sites.
$(BENCH_LINES): $(BENCH_LINES_OBJ) $(LIB_A)
	$(call say,LD,$@)
	$(Q)$(CC) -no-pie $(BENCH_LINES_OBJ) $(LIB_A) $(KMEM_LIBS) -o $@
-include $(BENCH_LINES_OBJ:.o=.d)
