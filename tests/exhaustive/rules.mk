# SPDX-License-Identifier: MIT
# Millions of operations each: the release and the 64-bit debug build; the walks prove the logic, which
# sanitizers and other word sizes do not change, and tests/unit and tests/model run under those.
TEST_ONLY.exhaustive := release $(HOST_ARCH)-debug
TEST_CFLAGS.exhaustive := -O2
