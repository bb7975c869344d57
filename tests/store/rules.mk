# SPDX-License-Identifier: MIT
# The host's transfers go through the test first, under either name that they have.
TEST_LIBS.store := -Wl,--wrap=pread,--wrap=pread64,--wrap=pwrite,--wrap=pwrite64
