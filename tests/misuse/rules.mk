# SPDX-License-Identifier: MIT
TEST_ONLY.misuse := release asan i386-debug
