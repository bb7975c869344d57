# SPDX-License-Identifier: MIT
# libkmem-env.a: the environment of compat/env for kernel code. Hosted, over the public headers; it
# needs no kernel tree. Kernel sources are compiled against it with the flags of tools/kmem/kmem-cc.py.

.PHONY: env
ENV_SRC := $(sort $(wildcard compat/env/lib/*.c compat/linux/lib/*.c))
ENV_OBJ := $(call objs,$(ENV_SRC))
ENV_A := $(B)/libkmem-env.a
ENV_CFLAGS := -D_GNU_SOURCE -DKMEM_ENV_HOSTED -include compat/env/generated/autoconf.h
ENV_INCLUDES := -Icompat -Icompat/env -Iinclude
ENV_LIBS := -ldl

ifeq ($(PORT),posix)
libs: $(ENV_A)
env: $(ENV_A) ## build libkmem-env.a, the environment for kernel code
endif
$(B)/obj/compat/%.o: INCLUDES := $(ENV_INCLUDES)
$(B)/obj/compat/%.o: KMEM_CFLAGS += $(ENV_CFLAGS)
$(ENV_A): $(ENV_OBJ)
	$(call say,AR,$@)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^
-include $(ENV_OBJ:.o=.d)

# How kernel sources are compiled, and which files of lib/ they want at hand. kmem cc knows.
.PHONY: env-flags clients sweep-clients
env-flags:
	@tools/kmem/kmem-cc.py --print-flags --cc '$(CC)' -K '$(K)'

CLIENT_VARIANTS ?= release debug asan i386 tsan:rhashtable,strings
clients: ## run sources of the kernel as clients, under sanitizers and pressure
	clients/run.py $(CLIENT_VARIANTS)
SWEEP_RUNS ?= 0
sweep-clients: ## fail the allocations of some clients in turn (kmem sweep)
	clients/run.py --sweep $(SWEEP_RUNS) release
