# SPDX-License-Identifier: MIT
# The environment is tried from hosted programs: without a kernel tree.
# The wait macros nest as the kernel's do, each with a __ret of its own.
TEST_CFLAGS.env := -Icompat/env $(ENV_CFLAGS) -Wno-shadow
TEST_LIBS.env := $(ENV_A) $(LIB_A) $(ENV_LIBS)
$(patsubst %.c,$(B)/%,$(wildcard tests/env/*.c)): $(ENV_A)
