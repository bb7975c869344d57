# SPDX-License-Identifier: MIT
# What a variant is: its folder, its compiler and its flags.

HOST_ARCH := $(patsubst i%86,i386,$(shell uname -m))
PORT ?= posix
ARCH ?= $(HOST_ARCH)
VARIANT ?= release

ifeq ($(filter $(VARIANT),release debug asan tsan msan),)
$(error VARIANT=$(VARIANT) is none of release debug asan tsan msan)
endif
ifeq ($(wildcard ports/$(PORT)/port_inline.h),)
$(error PORT=$(PORT): there is no ports/$(PORT)/port_inline.h)
endif

# build/posix-x86_64 is the release; every other variant says what it is.
B := build/$(PORT)-$(ARCH)$(if $(filter-out release,$(VARIANT)),-$(VARIANT))

# Checks of grade debug are in every build but the release.
CONFIG := $(if $(filter release,$(VARIANT)),release,debug)

# MemorySanitizer is clang's alone.
CLANG := $(firstword $(foreach c,clang-14 clang,$(if $(shell command -v $(c) 2>/dev/null),$(c))) clang)

ifeq ($(ARCH),$(HOST_ARCH))
ifeq ($(origin CC),default)
CC := $(if $(filter msan,$(VARIANT)),$(CLANG),gcc)
endif
AR ?= ar
OBJCOPY ?= objcopy
else ifeq ($(ARCH)-$(HOST_ARCH),i386-x86_64)
# The versioned gcc-12-multilib lives beside the arm64 cross headers, where the package
# gcc-multilib does not; the kernel's headers it lacks are the host's.
CC := gcc
OBJCOPY ?= objcopy
ARCH_FLAGS := -m32 -idirafter /usr/include/x86_64-linux-gnu
else ifeq ($(ARCH),aarch64)
CC := $(firstword $(foreach c,aarch64-linux-gnu-gcc aarch64-linux-gnu-gcc-12,\
	$(if $(shell command -v $(c) 2>/dev/null),$(c))) aarch64-linux-gnu-gcc-12)
AR := aarch64-linux-gnu-ar
OBJCOPY := aarch64-linux-gnu-objcopy
else
$(error ARCH=$(ARCH): no compiler is known for it on $(HOST_ARCH))
endif

# C++ is only used by tests: that our headers and our malloc serve it.
CXX ?= g++

WARN := -Wall -Wextra -Wshadow -Wconversion -Wundef -Wvla -Werror
WARN_C := -Wstrict-prototypes -Wmissing-prototypes -Werror=implicit-function-declaration

# No check for NULL pointers, which trap by themselves: for a thread's own variable gcc looks at the flags
# of an addition that the linker makes a lea, which sets none.
SAN.asan := -fsanitize=address,undefined -fno-sanitize=null -fno-sanitize-recover=undefined \
	-fno-omit-frame-pointer
# Fences are invisible to ThreadSanitizer; gcc says so with a warning.
SAN.tsan := -fsanitize=thread -Wno-tsan
SAN.msan := -fsanitize=memory -fsanitize-memory-track-origins -fno-omit-frame-pointer
SAN := $(SAN.$(VARIANT))

CFLAGS ?= $(if $(filter debug asan tsan msan,$(VARIANT)),-O1 -g,-O2 -g)
INCLUDES := -Iinclude -Isrc -Iports/$(PORT) -Imk/config/$(CONFIG)
# Everything is position-independent, so that one set of objects serves the archive and the
# shared library; what the public headers do not declare is hidden.
KMEM_CFLAGS := -std=gnu11 $(ARCH_FLAGS) $(CFLAGS) $(WARN) $(WARN_C) $(SAN) \
	-fPIC -fvisibility=hidden -fno-semantic-interposition -ffunction-sections -fdata-sections
KMEM_LDFLAGS := $(ARCH_FLAGS) $(SAN) -static-libgcc $(LDFLAGS)
KMEM_LIBS := -lpthread

VERSION := $(shell sed -n 's/^\#define KMEM_VERSION[[:space:]]*"\(.*\)"/\1/p' include/kmem/config.h)
ifeq ($(VERSION),)
$(error include/kmem/config.h has no KMEM_VERSION)
endif
SOMAJOR := 0

# Where `make install` puts things; the command knows two of them.
prefix ?= /usr/local
exec_prefix ?= $(prefix)
bindir ?= $(exec_prefix)/bin
libdir ?= $(exec_prefix)/lib
libexecdir ?= $(exec_prefix)/libexec
includedir ?= $(prefix)/include
datadir ?= $(prefix)/share
mandir ?= $(datadir)/man

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-7s %s\n' $(1) $(2)
endif
