#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the freestanding archives ask of the kernel that links them: the port and four functions."""
import os
import re
import shutil
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import ROOT, done, none, ok, run, skip  # noqa: E402

FROM_C = {"memcpy", "memset", "memmove", "memcmp"}
FROM_LINKER = {"_GLOBAL_OFFSET_TABLE_"}  # of its own making, for position-independent code


def symbols(archive):
    """Names defined and names undefined, over all members."""
    defined, undefined = set(), set()
    for line in run(["nm", archive]).stdout.splitlines():
        m = re.match(r"[0-9a-f]*\s+(\w)\s+(\S+)$", line)
        if m:
            (undefined if m.group(1) in "Uw" else defined).add(m.group(2))
    return defined, undefined - defined


def check(arch):
    archive = os.path.join(ROOT, "build", "bare-" + arch, "libkmem-bare-%s.a" % arch)
    defined, undefined = symbols(archive)
    if not ok("kmalloc" in defined and "kmem_boot" in defined, "%s: the core is in it" % arch,
              archive):
        return
    none(sorted(n for n in undefined if n not in FROM_C | FROM_LINKER and not n.startswith("port_")),
         "%s: asks for port_* and memcpy, memset, memmove, memcmp alone" % arch)
    sections = run(["objdump", "-h", archive]).stdout
    none(sorted(set(re.findall(r"\.(?:tdata|tbss|init_array|ctors|fini_array)\b\S*", sections))),
         "%s: no thread-local storage, no constructors" % arch)
    text = run(["objdump", "-d", "--no-show-raw-insn", archive]).stdout
    none(sorted(set(re.findall(r"%(?:[xyz]mm\d+|st\b|mm\d)", text))),
         "%s: no floating-point or vector register" % arch)


def main():
    if os.uname().machine != "x86_64":
        skip("freestanding archives", "they are for x86, and built on it")
        done()
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS")}
    built = run([shutil.which("make") or "make", "-j2", "bare"], env=env)
    if ok(built.returncode == 0, "the archives build", *built.stdout.splitlines()[-30:]):
        for arch in ("i386", "x86_64"):
            check(arch)
    done()


main()
