# SPDX-License-Identifier: MIT
# The allocation headers are tried from hosted programs: without a kernel tree.
TEST_CFLAGS.compat := -Icompat -Icompat/env $(ENV_CFLAGS) -Wno-shadow
TEST_LIBS.compat := $(ENV_A) $(LIB_A) $(ENV_LIBS)
$(patsubst %.c,$(B)/%,$(wildcard tests/compat/*.c)): $(ENV_A)
