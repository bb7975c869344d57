# SPDX-License-Identifier: MIT
# Tests. Every tests/FOLDER/NAME.c with a TEST() in it is one TAP program; every executable script
# tests/FOLDER/NAME.{sh,py,pl} is one as it stands. tests/FOLDER/lib/*.c is linked with each program
# of its folder, tests/sim is built with PORT=sim only, and tests/FOLDER/rules.mk may set for its
# folder
#
#	TEST_CFLAGS.FOLDER	more flags
#	TEST_LIBS.FOLDER	more libraries
#	TEST_NOLIB.FOLDER	set: not linked with libkmem.a
#	TEST_ONLY.FOLDER	the variants it is run in, of those in TEST_VARIANTS

.PHONY: check test run soak model tests exports conformance compat-doc setup-run setup-test

ALL_TEST_SRC := $(sort $(shell grep -lsE '^(TEST|MISUSE)\>' tests/*/*.c))
-include $(wildcard tests/*/rules.mk)
TEST_SRC := $(if $(filter posix,$(PORT)),$(filter-out tests/sim/%,$(ALL_TEST_SRC)),\
	$(filter tests/$(PORT)/%,$(ALL_TEST_SRC)))
folder = $(word 2,$(subst /, ,$(1)))
runs_here = $(strip $(if $(TEST_ONLY.$(call folder,$(1))),\
	$(filter $(ARCH)-$(VARIANT) $(VARIANT),$(TEST_ONLY.$(call folder,$(1)))),yes))
TEST_SRC := $(foreach t,$(TEST_SRC),$(if $(call runs_here,$(t)),$(t)))
TESTS := $(patsubst %.c,$(B)/%,$(TEST_SRC))

tests: libs cmd examples $(TESTS) ## build the test programs of this variant

test_lib_src = $(sort $(wildcard tests/$(call folder,$(1))/lib/*.c))

# The release's tests have their hits inside of themselves, as programs have that ask pkg-config; the others call.
TEST_INLINE := $(if $(filter posix-x86_64-release,$(PORT)-$(ARCH)-$(VARIANT)),-DKMEM_INLINE -fPIE)

# Tests see the floors as well, so that each can be tried alone.
define test_rule
$(B)/$(1): $(1).c $(call objs,$(call test_lib_src,$(1))) $(if $(TEST_NOLIB.$(call folder,$(1))),,$(LIB_A)) $(B)/flags
	$$(call say,TEST,$$@)
	@mkdir -p $$(@D)
	$(Q)$$(CC) $$(KMEM_CFLAGS) $$(TEST_INLINE) -D_GNU_SOURCE $$(INCLUDES) -Itests $$(TEST_CFLAGS.$(call folder,$(1))) \
		-MMD -MP -MF $$@.d $$< $$(filter %.o,$$^) $$(KMEM_LDFLAGS) $$(filter %.a,$$^) \
		$$(TEST_LIBS.$(call folder,$(1))) $$(KMEM_LIBS) -o $$@
endef
$(foreach t,$(patsubst %.c,%,$(TEST_SRC)),$(eval $(call test_rule,$(t))))
$(B)/obj/tests/%.o: INCLUDES += -Itests
$(B)/obj/tests/%.o: KMEM_CFLAGS += -D_GNU_SOURCE
-include $(addsuffix .d,$(TESTS)) $(patsubst %.o,%.d,$(call objs,$(wildcard tests/*/lib/*.c)))

# The variants that `make test` builds and runs, as PORT-ARCH-VARIANT; with :libs it only builds the
# libraries, which scripts use.
TEST_VARIANTS := posix-$(HOST_ARCH)-release posix-$(HOST_ARCH)-debug posix-$(HOST_ARCH)-asan \
	sim-$(HOST_ARCH)-debug template-$(HOST_ARCH)-debug:libs
ifeq ($(HOST_ARCH),x86_64)
TEST_VARIANTS += posix-i386-debug posix-i386-release:libs posix-aarch64-debug
endif
TEST_VARIANTS += posix-$(HOST_ARCH)-tsan posix-$(HOST_ARCH)-msan:libs

# The edit loop: no package manager, half a minute.
CHECK_FOLDERS := unit conformance
check: ## quick tests for the edit loop
	$(Q)$(MAKE) --no-print-directory VARIANT=debug tests
	$(Q)perl mk/tests.pl $(foreach f,$(CHECK_FOLDERS),build/posix-$(HOST_ARCH)-debug/tests/$(f)) \
		$(sort $(wildcard tests/layering/*.py tests/conformance/*.py))

test: setup-test ## install what is missing, build every variant, run every test
	$(Q)mk/test.sh $(TEST_VARIANTS)

run: setup-run all examples ## the demonstration: real programs and a recorded trace on this machine
	$(Q)examples/run.sh $(B)

ifneq ($(wildcard bench/rules.mk),)
include bench/rules.mk
endif
ifneq ($(wildcard tests/fuzz/fuzz.mk),)
include tests/fuzz/fuzz.mk
endif

SOAK_MINUTES ?= 10
# A 32-bit process with more HIGHMEM than it has addresses.
SOAK_HIGHMEM := $(if $(filter x86_64,$(HOST_ARCH)),$(MAKE) --no-print-directory ARCH=i386 VARIANT=debug \
	build/posix-i386-debug/tests/conformance/test_kmap && \
	KMEM_TEST_HIGHMEM_MIB=5120 TAP_DEADLINE=1200 build/posix-i386-debug/tests/conformance/test_kmap,:)
STEP := build/posix-$(HOST_ARCH)-debug/tests/signals/test_step
soak: ## repeat the randomised tests with new seeds for SOAK_MINUTES (10)
	$(Q)$(MAKE) --no-print-directory VARIANT=debug tests
	$(Q)$(MAKE) --no-print-directory PORT=sim VARIANT=debug tests
	$(Q)$(MAKE) --no-print-directory libs cmd
	$(Q)LOAD_OPS=3000000 TAP_DEADLINE=600 build/posix-$(HOST_ARCH)-debug/tests/pressure/load
	$(Q)STORM_OPS=100000000 TAP_DEADLINE=7200 build/posix-$(HOST_ARCH)-debug/tests/threads/test_storm
	$(Q)GUEST_STEP=1 tests/stacks/test_aarch64.sh
	$(Q)test ! -x $(STEP) || STEP_SHAPES=all TAP_DEADLINE=7200 $(STEP)
	$(Q)STORM_OPS=100000000 STORM_SECONDS=7200 tests/malloc/storm.sh
	$(Q)$(SOAK_HIGHMEM)
	$(Q)perl mk/tests.pl --minutes=$(SOAK_MINUTES) build/posix-$(HOST_ARCH)-debug/tests/model \
		build/sim-$(HOST_ARCH)-debug/tests

model: ## check the Promela models of the waits; needs spin
	$(Q)tests/promela/test_models.sh

exports: ## write mk/libkmem.map from the public headers
	mk/exports.py >mk/libkmem.map.new && mv mk/libkmem.map.new mk/libkmem.map

conformance: ## write docs/conformance.md from its table and the tests
	tests/conformance/conformance.py --write

compat-doc: ## write docs/compat.md from the survey's names and the headers
	tests/compat/test_names.py --write

setup-run:
	$(Q)mk/setup.sh run
setup-test:
	$(Q)mk/setup.sh test
