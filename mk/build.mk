# SPDX-License-Identifier: MIT
# The libraries and the command of one variant. Sources are found by wildcard, floor by floor, so
# a new file needs no line here.

.PHONY: libs cmd examples debug asan tsan m32 aarch64
CORE_SRC := $(sort $(wildcard src/*/*.c))
PORT_SRC := $(sort $(wildcard ports/$(PORT)/*.c))
MALLOC_SRC := $(sort $(wildcard malloc/*.c))
CMD_SRC := $(sort $(wildcard tools/kmem/*.c))
COMMON_SRC := $(sort $(wildcard tools/common/*.c))
CMD_CFLAGS := -D_GNU_SOURCE -DKMEM_ARCH='"$(ARCH)"' \
	-DKMEM_LIBDIR='"$(libdir)"' -DKMEM_LIBEXECDIR='"$(libexecdir)"' \
	-DKMEM_INCLUDEDIR='"$(includedir)"'
CMD_LIBS :=

# kmem replay reads trace.dat where trace-cmd's libraries are; elsewhere it says that it cannot.
# Asked of the compiler, for libtracecmd's .pc file wants a third library that is not used here.
TRACE_CFLAGS := $(patsubst -I%,-isystem %,$(shell pkg-config --cflags libtraceevent 2>/dev/null || \
	echo -I/usr/include/traceevent))
TRACE_LIBS := -ltracecmd -ltraceevent
TRACE_DAT := $(if $(filter $(HOST_ARCH),$(ARCH)),$(shell \
	$(CC) $(TRACE_CFLAGS) -include event-parse.h -x c /dev/null -fPIC -shared -o /dev/null $(TRACE_LIBS) 2>/dev/null && echo yes))
ifeq ($(TRACE_DAT),yes)
CMD_SRC := $(filter-out %/trace_nodat.c,$(CMD_SRC))
CMD_CFLAGS += $(TRACE_CFLAGS)
CMD_LIBS += $(TRACE_LIBS)
else
CMD_SRC := $(filter-out %/trace_dat.c,$(CMD_SRC))
endif

# A folder may add to these: what it needs beyond the rule.
-include malloc/rules.mk tools/kmem/rules.mk ports/$(PORT)/rules.mk

objs = $(patsubst %.c,$(B)/obj/%.o,$(1))

# A folder may add to these: what it needs beyond the rule, e.g. an optional library.
-include malloc/rules.mk tools/kmem/rules.mk ports/$(PORT)/rules.mk

CORE_OBJ := $(call objs,$(CORE_SRC) $(PORT_SRC))
COMMON_OBJ := $(call objs,$(COMMON_SRC))
MALLOC_OBJ := $(call objs,$(MALLOC_SRC))
CMD_OBJ := $(call objs,$(CMD_SRC))

LIB_A := $(B)/libkmem.a
LIB_SO := $(B)/libkmem.so.$(SOMAJOR)
MALLOC_SO := $(B)/libkmem-malloc.so.$(SOMAJOR)
MALLOC_A := $(B)/libkmem-malloc.a
CMD := $(B)/kmem

ifeq ($(PORT),posix)
libs: $(LIB_A) $(LIB_SO) $(MALLOC_SO) $(if $(SAN),,$(MALLOC_A)) ## the libraries of this variant
cmd: $(if $(CMD_SRC),$(CMD)) ## the command kmem of this variant
else
libs: $(LIB_A)
cmd: $(LIB_A)
endif

# Rebuilt when the flags differ from those of the last time.
$(B)/flags: FORCE
	@mkdir -p $(@D)
	@printf '%s\n' '$(subst ','\'',$(CC) $(KMEM_CFLAGS) $(INCLUDES) $(CMD_CFLAGS) $(KMEM_LDFLAGS))' \
		>$@.new; cmp -s $@.new $@ && rm -f $@.new || mv $@.new $@
.PHONY: FORCE
FORCE:

# Per folder: the command and the tests see the public headers alone, the core and the port all.
$(B)/obj/tools/%.o: INCLUDES := -Iinclude -Itools/kmem -Itools/common -I$(B)/gen
$(B)/obj/tools/%.o: KMEM_CFLAGS += $(CMD_CFLAGS)
# The malloc face inlines the slab floor's hits.
$(B)/obj/malloc/%.o: INCLUDES := -Iinclude -Imalloc -Isrc -Iports/$(PORT) -Imk/config/$(CONFIG)

$(B)/obj/%.o: %.c $(B)/flags
	$(call say,CC,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(KMEM_CFLAGS) $(INCLUDES) -MMD -MP -c $< -o $@

$(LIB_A): $(CORE_OBJ)
	$(call say,AR,$@)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^

# A sanitizer's runtime belongs to the program, so its symbols stay open in a library.
# Never unloaded: the kernel may look at a thread's last restartable sequence after it is over.
SO_LDFLAGS := -Wl,--gc-sections -Wl,-z,now -Wl,-z,relro -Wl,-z,nodelete

$(LIB_SO): $(CORE_OBJ) mk/libkmem.map
	$(call say,LD,$@)
	$(Q)$(CC) -shared $(KMEM_LDFLAGS) -Wl,-soname,$(@F) -Wl,--version-script,mk/libkmem.map \
		$(if $(SAN),,-Wl$(comma)-z$(comma)defs) $(SO_LDFLAGS) \
		$(CORE_OBJ) $(KMEM_LIBS) -o $@
	@ln -sf $(@F) $(B)/libkmem.so
comma := ,

# A private copy of the core: a program may use both libraries and then has two machines.
$(MALLOC_SO): $(MALLOC_OBJ) $(COMMON_OBJ) $(CORE_OBJ) malloc/exports.map
	$(call say,LD,$@)
	$(Q)$(CC) -shared $(KMEM_LDFLAGS) -Wl,-soname,$(@F) -Wl,--version-script,malloc/exports.map \
		$(if $(SAN),,-Wl$(comma)-z$(comma)defs) $(SO_LDFLAGS) \
		$(MALLOC_OBJ) $(COMMON_OBJ) $(CORE_OBJ) $(MALLOC_LIBS) $(KMEM_LIBS) -o $@
	@ln -sf $(@F) $(B)/libkmem-malloc.so

# The same for a program to be linked with: one object, in which all other names are its own. Who takes one of the
# functions has all of them.
$(MALLOC_A): $(MALLOC_OBJ) $(COMMON_OBJ) $(CORE_OBJ) malloc/exports.map
	$(call say,AR,$@)
	@mkdir -p $(B)/gen
	$(Q)sed -n 's/^\t\([a-z_0-9]*\);$$/\1/p' malloc/exports.map >$(B)/gen/malloc.names
	$(Q)$(CC) $(ARCH_FLAGS) -r -nostdlib $(MALLOC_OBJ) $(COMMON_OBJ) $(CORE_OBJ) -o $(B)/gen/kmem-malloc.o
	$(Q)$(OBJCOPY) --keep-global-symbols=$(B)/gen/malloc.names $(B)/gen/kmem-malloc.o
	@rm -f $@
	$(Q)$(AR) rcs $@ $(B)/gen/kmem-malloc.o

$(CMD): $(CMD_OBJ) $(COMMON_OBJ) $(LIB_A)
	$(call say,LD,$@)
	$(Q)$(CC) $(KMEM_LDFLAGS) $(CMD_OBJ) $(COMMON_OBJ) $(LIB_A) $(CMD_LIBS) $(KMEM_LIBS) -o $@

# Each folder of examples is a program that sees what an installed library shows. Two need a library more.
URING := $(shell $(CC) $(ARCH_FLAGS) -include liburing.h -x c /dev/null -fPIC -shared -o /dev/null -luring \
	2>/dev/null && echo yes)
FUSE_CFLAGS := -D_FILE_OFFSET_BITS=64 -DFUSE_USE_VERSION=31 -I/usr/include/fuse3
FUSE := $(shell $(CC) $(ARCH_FLAGS) $(FUSE_CFLAGS) -include fuse.h -x c /dev/null -fPIC -shared -o /dev/null \
	-lfuse3 2>/dev/null && echo yes)
EXAMPLES := $(if $(filter posix,$(PORT)),$(patsubst examples/%/,$(B)/%,$(sort $(dir $(wildcard examples/*/*.c)))))
EXAMPLES := $(if $(URING),$(EXAMPLES),$(filter-out %/uring,$(EXAMPLES)))
EXAMPLES := $(if $(FUSE),$(EXAMPLES),$(filter-out %/ldd3,$(EXAMPLES)))
EXAMPLE_LIBS.uring := -luring
EXAMPLE_LIBS.ldd3 := -lfuse3
EXAMPLE_OBJ := $(call objs,$(wildcard examples/*/*.c))
$(B)/obj/examples/%.o: INCLUDES := -Iinclude
$(B)/obj/examples/ldd3/%.o: KMEM_CFLAGS += $(FUSE_CFLAGS)
examples: $(EXAMPLES) ## build the example programs of this variant
define example_rule
$(1): $(call objs,$(wildcard examples/$(notdir $(1))/*.c)) $(LIB_A)
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $$(KMEM_LDFLAGS) $$^ $$(EXAMPLE_LIBS.$(notdir $(1))) $$(KMEM_LIBS) -o $$@
endef
$(foreach e,$(EXAMPLES),$(eval $(call example_rule,$(e))))

DEPS := $(EXAMPLE_OBJ:.o=.d) $(CORE_OBJ:.o=.d) $(COMMON_OBJ:.o=.d) $(MALLOC_OBJ:.o=.d) $(CMD_OBJ:.o=.d)
-include $(DEPS)

debug: ## build with all assertions and lock ranks
	$(Q)$(MAKE) VARIANT=debug all
asan: ## build with AddressSanitizer and UBSan
	$(Q)$(MAKE) VARIANT=asan all
tsan: ## build with ThreadSanitizer
	$(Q)$(MAKE) VARIANT=tsan all
m32: ## build for 32-bit x86
	$(Q)$(MAKE) ARCH=i386 VARIANT=debug libs
aarch64: ## build for 64-bit Arm
	$(Q)$(MAKE) ARCH=aarch64 VARIANT=debug libs
