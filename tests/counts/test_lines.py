#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Cache lines that move from CPU to CPU: bench-lines against its table in docs/performance.md."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import ROOT, done, none, ok  # noqa: E402

PROGRAM = os.path.join(ROOT, "build", "lines", "bench-lines")
# The last of the table's figures, which is that of 16 CPUs: a change of code may move it a little.
SLACK = 1.25


def limits():
    """The limits of 16 CPUs, by workload."""
    with open(os.path.join(ROOT, "docs", "performance.md"), encoding="utf-8") as f:
        text = f.read().split("## Cache lines that move", 1)[1]
    rows = re.findall(r"^\| `(\w+)` .*\| *(\d+) \|$", text, re.M)
    return {name: int(limit) for name, limit in rows}


def moves():
    """What 16 CPUs move now, by workload."""
    out = subprocess.run([PROGRAM], capture_output=True, text=True, check=True, timeout=120).stdout
    rows = [line.split() for line in out.splitlines()[2:]]
    return {row[0]: int(row[-1]) for row in rows}


def main():
    limit, now = limits(), moves()
    ok(limit and limit.keys() == now.keys(), "the table has all workloads, and no other")
    # The model sees what a lock costs: it is taken by another CPU each time, its line, the list's, the block's.
    ok(now["locked"] > 4000, f"a list under a lock moves {now['locked']}")
    none([f"{name}: {now[name]} lines, the table says {limit[name]}" for name in limit
          if name != "locked" and now[name] > limit[name] * SLACK + 10], "what moves is in its limits")
    done()


main()
