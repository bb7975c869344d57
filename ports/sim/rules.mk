# SPDX-License-Identifier: MIT
# What the simulator needs beyond the common rules: the host's interfaces, and the program kmem-sim.
ifndef KMEM_SIM

$(B)/obj/ports/sim/%.o: KMEM_CFLAGS += -D_GNU_SOURCE

KMEM_SIM := $(B)/kmem-sim
KMEM_SIM_OBJ := $(patsubst %.c,$(B)/obj/%.o,$(sort $(wildcard tools/kmem-sim/*.c)))
SIM_LOAD_OBJ := $(patsubst %.c,$(B)/obj/%.o,$(sort $(wildcard tests/sim/lib/*.c)))

$(B)/obj/tools/kmem-sim/%.o: INCLUDES := -Iinclude -Iports/sim -Itests/sim/lib

cmd: $(KMEM_SIM)
$(KMEM_SIM): $(KMEM_SIM_OBJ) $(SIM_LOAD_OBJ) $(B)/libkmem.a
	$(call say,LD,$@)
	$(Q)$(CC) $(KMEM_LDFLAGS) $^ $(KMEM_LIBS) -o $@

-include $(KMEM_SIM_OBJ:.o=.d) $(SIM_LOAD_OBJ:.o=.d)
endif
