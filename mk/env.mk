# SPDX-License-Identifier: MIT
# libkmem-env.a: the environment of compat/env for kernel code. Hosted, over the public headers; it
# needs no kernel tree. Kernel sources are compiled against it with the flags of ENV_KCFLAGS.

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

# How kernel sources are compiled: no header of the C library, the tree at $(1) behind ours. The folder
# kunit is on the path so that "../mm/slab.h" of a source that is not in lib/ finds mm/slab.h here.
env_kcflags = -std=gnu11 -nostdinc -isystem $(shell $(CC) -print-file-name=include) -ffreestanding \
	-fno-strict-aliasing -fno-strict-overflow -fno-delete-null-pointer-checks -fno-common \
	-fshort-wchar -ffunction-sections -fdata-sections -fPIE -Wno-pointer-sign -w \
	-Werror=implicit-function-declaration -Werror=int-conversion -D__KERNEL__ \
	-include linux/kconfig.h -include linux/compiler_types.h \
	-I$(CURDIR)/compat -I$(CURDIR)/compat/env -I$(CURDIR)/compat/env/kunit -I$(CURDIR)/include \
	-I$(1)/include -I$(1)/include/uapi
# And what most of them want of the tree besides themselves; --gc-sections drops what is not used.
ENV_KLIB := find_bit bitmap hweight kstrtox ctype string hexdump sort list_sort rbtree bsearch refcount math/div64

# Two lines for clients/run.py: how to compile, and which files of lib/ to have at hand.
.PHONY: env-flags clients
env-flags:
	@echo '$(CC) $(call env_kcflags,$(K))'
	@echo '$(ENV_KLIB)'

CLIENT_VARIANTS ?= release debug asan i386 tsan:rhashtable,strings
clients: ## run sources of the kernel as clients, under sanitizers and pressure
	clients/run.py $(CLIENT_VARIANTS)
