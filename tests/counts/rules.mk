# SPDX-License-Identifier: MIT
# Instructions are counted in what is shipped: the release, on the architecture that has sequences.
TEST_ONLY.counts := x86_64-release
TEST_LIBS.counts := -ldl
