# SPDX-License-Identifier: MIT
#
# libkmem: one build description for every variant. Three words choose a variant, and with it the
# folder that everything is built in, build/PORT-ARCH[-VARIANT]:
#
#	PORT	posix (default), sim
#	ARCH	x86_64, i386, aarch64 (default: this machine)
#	VARIANT	release (default), debug, asan, tsan, msan (the libraries, by clang)
#
# `make help` lists the targets. The parts: mk/config.mk says what a variant is, mk/build.mk how
# things are built, mk/test.mk, mk/bare.mk and mk/install.mk the rest.

.DEFAULT_GOAL := all
MAKEFLAGS += --no-builtin-rules
.SUFFIXES:
.DELETE_ON_ERROR:

include mk/config.mk
include mk/build.mk
include mk/env.mk
include mk/test.mk
include mk/bare.mk
include mk/install.mk

.PHONY: all sim help clean
all: libs cmd $(if $(filter posix,$(PORT)),sim) ## build the libraries, the command and the simulator

# The simulator is the checking build of another port: `kmem sim` finds it beside its own folder.
SIM_DIR := build/sim-$(HOST_ARCH)-debug
sim: ## build the simulator, kmem-sim
	$(Q)$(MAKE) --no-print-directory PORT=sim ARCH=$(HOST_ARCH) VARIANT=debug B=$(SIM_DIR) cmd

help: ## this text
	@echo 'usage: make [PORT=posix|sim] [ARCH=x86_64|i386|aarch64] [VARIANT=release|debug|asan|tsan|msan] TARGET'
	@echo
	@cat $(MAKEFILE_LIST) | sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1	\2/p' | \
		sort -u | awk -F '\t' '{ printf "  %-12s %s\n", $$1, $$2 }'
	@echo
	@echo 'NO_APT=1 forbids run and test to install packages; V=1 prints the commands.'

clean: ## remove everything that was built
	rm -rf build
