# SPDX-License-Identifier: MIT
# The program here is the example's own files without its main.
$(B)/tests/blockcache/test_every_failure: \
	$(patsubst %.c,$(B)/obj/%.o,$(filter-out %/main.c,$(wildcard examples/blockcache/*.c)))
