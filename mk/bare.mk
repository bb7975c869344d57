# SPDX-License-Identifier: MIT
# The freestanding archives: the core alone, for a kernel that supplies the port. They compile with
# any x86 gcc, since they touch no header of a C library: -nostdinc leaves the compiler's own.

BARE_ARCHES := i386 x86_64
# The core, and the compiler's helpers that it would otherwise ask of libgcc.
BARE_SRC := $(CORE_SRC) ports/bare/builtins.c
# x86_64 is position-independent, so that it links into a kernel of either half of the addresses.
BARE.i386 := -m32 -march=i686 -fno-pie
BARE.x86_64 := -m64 -fpie
BARE_CFLAGS := -std=gnu11 -O2 -g -ffreestanding -nostdlib -nostdinc \
	-isystem $(shell gcc -print-file-name=include) \
	-mgeneral-regs-only -mno-red-zone -fno-stack-protector -fno-asynchronous-unwind-tables \
	-ffunction-sections -fdata-sections $(WARN) $(WARN_C) \
	-Iinclude -Isrc -Iports/bare -Imk/config/release

.PHONY: bare
ifeq ($(HOST_ARCH),x86_64)
BARE_LIBS := $(foreach a,$(BARE_ARCHES),build/bare-$(a)/libkmem-bare-$(a).a)
endif
bare: $(BARE_LIBS) ## build the freestanding archives

define bare_rules
build/bare-$(1)/libkmem-bare-$(1).a: $(patsubst %.c,build/bare-$(1)/obj/%.o,$(BARE_SRC))
	$$(call say,AR,$$@)
	@rm -f $$@
	$(Q)ar rcs $$@ $$^
build/bare-$(1)/obj/%.o: %.c mk/bare.mk
	$$(call say,CC,$$@)
	@mkdir -p $$(@D)
	$(Q)gcc $(BARE_CFLAGS) $(BARE.$(1)) -MMD -MP -c $$< -o $$@
-include $(patsubst %.c,build/bare-$(1)/obj/%.d,$(BARE_SRC))
endef
$(foreach a,$(BARE_ARCHES),$(eval $(call bare_rules,$(a))))
