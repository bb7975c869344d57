# SPDX-License-Identifier: MIT
# make install: DESTDIR, prefix and the usual directories are honoured; nothing is built for it that
# `make` did not build. Installed: the libraries, the headers for users and for writers of ports,
# kmem.pc, the CMake files, the command, the simulator, the benchmark, the completion, the manual pages.

.PHONY: install uninstall
INSTALL ?= install
bashcompdir ?= $(datadir)/bash-completion/completions
PUBLIC_HEADERS := $(sort $(wildcard include/kmem/*.h))
MAN_PAGES := $(sort $(wildcard man/*.[1-9]))
COMPLETION := $(wildcard tools/kmem/completion.bash)
TEMPLATES := mk/templates
# The overlay for kernel code, with a way to <kmem/...> that does not lead through the C library's headers.
OVERLAY := $(includedir)/kmem-compat
OVERLAY_HEADERS := $(shell cd compat && find . -name '*.h' ! -path '*/lib/*' | sed 's|^./||' | sort)
CC_DRIVER := tools/kmem/kmem-cc.py

FILL := sed -e 's|@prefix@|$(prefix)|g' -e 's|@exec_prefix@|$(exec_prefix)|g' \
	-e 's|@libdir@|$(libdir)|g' -e 's|@includedir@|$(includedir)|g' \
	-e 's|@version@|$(VERSION)|g' -e 's|@somajor@|$(SOMAJOR)|g'
man_path = $(mandir)/man$(subst .,,$(suffix $(1)))/$(notdir $(1))

# Both lists in the order of `install`; uninstall removes exactly these.
INSTALLED := $(addprefix $(libdir)/,libkmem.a libkmem-env.a libkmem.so libkmem.so.$(SOMAJOR) libkmem.so.$(VERSION) \
		libkmem-malloc.a libkmem-malloc.so libkmem-malloc.so.$(SOMAJOR) libkmem-malloc.so.$(VERSION) pkgconfig/kmem.pc \
		cmake/kmem/kmem-config.cmake cmake/kmem/kmem-config-version.cmake) \
	$(addprefix $(includedir)/kmem/,$(notdir $(PUBLIC_HEADERS))) $(bindir)/kmem \
	$(addprefix $(OVERLAY)/,include/kmem $(OVERLAY_HEADERS)) \
	$(addprefix $(libexecdir)/kmem/,kmem-sim $(notdir $(CC_DRIVER)) \
		$(addprefix bench/,$(notdir $(BENCH_PROGRAMS) $(BENCH_DRIVER)))) \
	$(if $(COMPLETION),$(bashcompdir)/kmem) $(foreach m,$(MAN_PAGES),$(call man_path,$(m)))

install: all ## install under DESTDIR and prefix (/usr/local)
	$(INSTALL) -d '$(DESTDIR)$(libdir)/pkgconfig' '$(DESTDIR)$(libdir)/cmake/kmem' \
		'$(DESTDIR)$(includedir)/kmem' '$(DESTDIR)$(bindir)'
	$(INSTALL) -m 644 $(LIB_A) '$(DESTDIR)$(libdir)/libkmem.a'
	$(INSTALL) -m 644 $(ENV_A) '$(DESTDIR)$(libdir)/libkmem-env.a'
	$(INSTALL) -m 644 $(MALLOC_A) '$(DESTDIR)$(libdir)/libkmem-malloc.a'
	$(INSTALL) -m 755 $(LIB_SO) '$(DESTDIR)$(libdir)/libkmem.so.$(VERSION)'
	$(INSTALL) -m 755 $(MALLOC_SO) '$(DESTDIR)$(libdir)/libkmem-malloc.so.$(VERSION)'
	ln -sf libkmem.so.$(VERSION) '$(DESTDIR)$(libdir)/libkmem.so.$(SOMAJOR)'
	ln -sf libkmem.so.$(SOMAJOR) '$(DESTDIR)$(libdir)/libkmem.so'
	ln -sf libkmem-malloc.so.$(VERSION) '$(DESTDIR)$(libdir)/libkmem-malloc.so.$(SOMAJOR)'
	ln -sf libkmem-malloc.so.$(SOMAJOR) '$(DESTDIR)$(libdir)/libkmem-malloc.so'
	$(INSTALL) -m 644 $(PUBLIC_HEADERS) '$(DESTDIR)$(includedir)/kmem'
	cd compat && for h in $(OVERLAY_HEADERS); do \
		$(INSTALL) -D -m 644 "$$h" '$(DESTDIR)$(OVERLAY)'/"$$h" || exit 1; done
	$(INSTALL) -d '$(DESTDIR)$(OVERLAY)/include'
	ln -sfn ../../kmem '$(DESTDIR)$(OVERLAY)/include/kmem'
	$(INSTALL) -m 755 $(CMD) '$(DESTDIR)$(bindir)/kmem'
	$(INSTALL) -D -m 755 $(SIM_DIR)/kmem-sim '$(DESTDIR)$(libexecdir)/kmem/kmem-sim'
	$(INSTALL) -m 755 $(CC_DRIVER) '$(DESTDIR)$(libexecdir)/kmem'
	$(INSTALL) -d '$(DESTDIR)$(libexecdir)/kmem/bench'
	$(INSTALL) -m 755 $(BENCH_PROGRAMS) '$(DESTDIR)$(libexecdir)/kmem/bench'
	$(INSTALL) -m 644 $(BENCH_DRIVER) '$(DESTDIR)$(libexecdir)/kmem/bench'
	$(FILL) $(TEMPLATES)/kmem.pc.in >'$(DESTDIR)$(libdir)/pkgconfig/kmem.pc'
	$(FILL) $(TEMPLATES)/kmem-config.cmake.in >'$(DESTDIR)$(libdir)/cmake/kmem/kmem-config.cmake'
	$(FILL) $(TEMPLATES)/kmem-config-version.cmake.in \
		>'$(DESTDIR)$(libdir)/cmake/kmem/kmem-config-version.cmake'
	$(if $(COMPLETION),$(INSTALL) -D -m 644 $(COMPLETION) '$(DESTDIR)$(bashcompdir)/kmem')
	$(foreach m,$(MAN_PAGES),$(INSTALL) -D -m 644 $(m) '$(DESTDIR)$(call man_path,$(m))' &&) :

uninstall: ## remove what install put there
	rm -f $(foreach f,$(INSTALLED),'$(DESTDIR)$(f)')
	-find '$(DESTDIR)$(OVERLAY)' -depth -type d -exec rmdir {} + 2>/dev/null
	-rmdir '$(DESTDIR)$(includedir)/kmem' '$(DESTDIR)$(libdir)/cmake/kmem' 2>/dev/null
