# SPDX-License-Identifier: MIT
# With liburing where there is one for the architecture; without it the tests say so.
TEST_CFLAGS.uring := -DTEST_URING=$(if $(URING),1,0)
TEST_LIBS.uring := $(if $(URING),-luring)
TEST_ONLY.uring := release debug asan
ifneq ($(URING),)
$(B)/tests/uring/test_uring: $(B)/obj/examples/uring/dma_ring.o
endif
