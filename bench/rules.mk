# SPDX-License-Identifier: MIT
# The benchmark. A program per API (bench/api/NAME/api.h), made of all workloads that it serves; what
# they share is in harness.c. The driver and its parts lie beside them, as `kmem bench` looks for them.

.PHONY: bench bench-programs bench-lines setup-bench

BENCH := $(B)/bench
BENCH_DRIVER := $(patsubst bench/%,$(BENCH)/%,$(sort $(wildcard bench/*.py)))
# DPDK's mempool is compared with where libdpdk-dev is.
DPDK_CFLAGS := $(patsubst -I%,-isystem %,$(shell pkg-config --silence-errors --cflags libdpdk))
DPDK_LIBS := $(shell pkg-config --silence-errors --libs-only-L libdpdk) \
	-Wl,--no-as-needed -lrte_mempool_ring -lrte_mempool -lrte_ring -lrte_eal
BENCH_APIS := $(notdir $(patsubst %/,%,$(dir $(wildcard bench/api/*/api.h))))
BENCH_APIS := $(if $(DPDK_CFLAGS),$(BENCH_APIS),$(filter-out dpdk,$(BENCH_APIS)))
# Programs of the workload `linked`: ours, and the peers of which there is an archive.
BENCH_ARCHIVE = $(firstword $(wildcard /usr/lib/$(HOST_ARCH)-linux-gnu/$(1)))
BENCH_ARCHIVE.cache := $(LIB_A)
BENCH_ARCHIVE.kmalloc := $(LIB_A)
BENCH_ARCHIVE.malloc := $(MALLOC_A)
BENCH_ARCHIVE.jemalloc := $(call BENCH_ARCHIVE,libjemalloc.a)
BENCH_ARCHIVE.tcmalloc := $(call BENCH_ARCHIVE,libtcmalloc_minimal.a)
BENCH_LINKED := cache kmalloc malloc glibc $(foreach p,jemalloc tcmalloc,$(if $(BENCH_ARCHIVE.$(p)),$(p)))
BENCH_PROGRAMS := $(addprefix $(BENCH)/bench-,$(BENCH_APIS) ops run $(BENCH_LINKED:%=linked-%))

BENCH_WORK.malloc := pair bulk batch mixed handoff server scale grow construct fragment latency replay
BENCH_WORK.kmalloc := $(BENCH_WORK.malloc)
BENCH_WORK.cache := pair bulk batch handoff scale construct latency
BENCH_WORK.pages := pages
BENCH_WORK.buddy := pages
BENCH_WORK.stack := pair linked
BENCH_WORK.dpdk := pair bulk batch

# As a user's program is linked: with the shared library, which the driver finds.
BENCH_LIBS.kmalloc := -L$(B) -lkmem
BENCH_LIBS.cache := $(BENCH_LIBS.kmalloc)
BENCH_LIBS.pages := $(BENCH_LIBS.kmalloc)
# And compiled as pkg-config says.
BENCH_CFLAGS.kmalloc := -DKMEM_INLINE -fPIE
BENCH_CFLAGS.cache := $(BENCH_CFLAGS.kmalloc)
# This one looks inside.
BENCH_LIBS.stack := $(LIB_A)
BENCH_CFLAGS.stack := -Isrc -Iports/$(PORT) -Imk/config/$(CONFIG)
BENCH_LIBS.dpdk := $(DPDK_LIBS)
BENCH_CFLAGS.dpdk := $(DPDK_CFLAGS)

# The compiler may not know malloc: it would leave out a pair that nobody looks at.
define bench_api
$(B)/obj/bench/$(1)/%.o: bench/%.c $(B)/flags
	$$(call say,CC,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(KMEM_CFLAGS) -D_GNU_SOURCE -fno-builtin -Iinclude -Ibench -Ibench/api/$(1) \
		$$(BENCH_CFLAGS.$(1)) -MMD -MP -c $$< -o $$@
$(BENCH)/bench-$(1): $(BENCH_WORK.$(1):%=$(B)/obj/bench/$(1)/%.o) $(B)/obj/bench/harness.o $(LIB_SO) $(LIB_A)
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(KMEM_LDFLAGS) $$(filter %.o,$$^) $$(BENCH_LIBS.$(1)) $$(KMEM_LIBS) -o $$@
-include $(patsubst %,$(B)/obj/bench/$(1)/%.d,linked $(BENCH_WORK.$(1)))
endef
$(foreach a,$(BENCH_APIS),$(eval $(call bench_api,$(a))))
# linked-NAME, API
define bench_linked
$(BENCH)/bench-linked-$(1): $(B)/obj/bench/$(2)/linked.o $(B)/obj/bench/harness.o $(BENCH_ARCHIVE.$(1))
	$$(call say,LD,$$@)
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $$(KMEM_LDFLAGS) $$^ $(if $(BENCH_ARCHIVE.$(1)),-lstdc++ -lm,-static) $$(KMEM_LIBS) -o $$@
endef
$(foreach n,$(BENCH_LINKED),$(eval $(call bench_linked,$(n),$(if $(filter $(n),$(BENCH_APIS)),$(n),malloc))))

BENCH_OBJ := $(addprefix $(B)/obj/bench/,harness.o ops.o run.o)
$(BENCH_OBJ): INCLUDES := -Iinclude -Ibench -Itools/kmem
$(BENCH_OBJ): KMEM_CFLAGS += -D_GNU_SOURCE
-include $(BENCH_OBJ:.o=.d)

# The reader of recordings is the command's.
$(BENCH)/bench-ops: $(B)/obj/bench/ops.o $(filter %/plan.o %/plan_pages.o %/trace.o %/trace_dat.o \
		%/trace_head.o %/trace_nodat.o %/trace_text.o %/util.o,$(CMD_OBJ)) $(LIB_A)
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(KMEM_LDFLAGS) $^ $(CMD_LIBS) $(KMEM_LIBS) -o $@
$(BENCH)/bench-run: $(B)/obj/bench/run.o
	$(call say,LD,$@)
	@mkdir -p $(@D)
	$(Q)$(CC) $(KMEM_LDFLAGS) $^ -o $@

$(BENCH)/%: bench/%
	@mkdir -p $(@D)
	$(Q)cp $< $@

bench-programs: $(BENCH_PROGRAMS) $(BENCH_DRIVER)

# The release is what is measured, installed and tested.
ifeq ($(PORT)-$(ARCH)-$(VARIANT),posix-$(HOST_ARCH)-release)
all tests: bench-programs
tests: build/lines/bench-lines
endif

# Cache lines that move: a build of its own, of the simulator.
ifeq ($(PORT),sim)
include bench/lines/rules.mk
else
build/lines/bench-lines: FORCE
	$(Q)$(MAKE) --no-print-directory PORT=sim ARCH=$(HOST_ARCH) VARIANT=release B=build/lines \
		CFLAGS='-O2 -g -fsanitize=thread -Wno-tsan' $@
endif
bench-lines: build/lines/bench-lines ## count the cache lines that move per allocation, on 1 to 16 CPUs
	$(Q)$<

bench: setup-bench all ## measure against the mallocs people use; BENCH_ARGS=--quick: two minutes
	$(Q)$(CMD) bench --out build/bench $(BENCH_ARGS)

setup-bench:
	$(Q)mk/setup.sh bench
