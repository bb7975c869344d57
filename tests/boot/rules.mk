# SPDX-License-Identifier: MIT
# The programs here put a port of their own between the core and the host.
TEST_LIBS.boot := -Wl,--wrap=port_ranges -Wl,--wrap=port_meta -Wl,--wrap=port_areas -Wl,--wrap=port_start
