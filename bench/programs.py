# SPDX-License-Identifier: MIT
"""Real programs, each under every malloc: wall time, CPU time and peak memory."""


def programs(suite):
    return {}
