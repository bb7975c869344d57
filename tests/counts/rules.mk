# SPDX-License-Identifier: MIT
# Instructions are counted in what is shipped: the release, on the architecture that has sequences.
TEST_ONLY.counts := x86_64-release
TEST_LIBS.counts := -ldl
# Functions are counted, and beside them what programs have in place of calls.
TEST_CFLAGS.counts := -UKMEM_INLINE
$(B)/obj/tests/counts/lib/inlined.o: KMEM_CFLAGS += -DKMEM_INLINE -fPIE
