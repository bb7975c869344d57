#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The linker's version script of libkmem.so.0, from the public headers.

usage: mk/exports.py            prints the version script (make exports writes mk/libkmem.map)
       mk/exports.py --list     prints the names alone, one a line

A public name is what include/kmem/*.h declares and does not define. port.h is not public: it is
what the core asks of a port.
"""
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PRIVATE = {"port.h"}


def declared(headers):
    """Names declared and not defined, as the compiler lists them."""
    with tempfile.TemporaryDirectory() as tmp:
        source, listing = os.path.join(tmp, "all.c"), os.path.join(tmp, "all.X")
        with open(source, "w", encoding="ascii") as f:
            f.writelines('#include "%s"\n' % h for h in headers)
        subprocess.run(
            ["gcc", "-std=gnu11", "-I.", "-Iinclude", "-fsyntax-only", "-aux-info", listing, source],
            cwd=ROOT, check=True)
        with open(listing, encoding="ascii") as f:
            text = f.read()
    names, defined = set(), set()
    row = re.compile(r"^/\* (\S+):\d+:[A-Z]([CF]) \*/ [^(;]*?(\w+) \(", re.M)
    for path, kind, name in row.findall(text):
        if "include/kmem/" in path:
            (names if kind == "C" else defined).add(name)
    return names - defined


def main():
    folder = os.path.join(ROOT, "include", "kmem")
    headers = [os.path.join("include", "kmem", h) for h in sorted(os.listdir(folder))
               if h.endswith(".h") and h not in PRIVATE]
    names = declared(headers)
    for header in headers:
        with open(os.path.join(ROOT, header), encoding="utf-8") as f:
            names.update(re.findall(r"^extern (?!\")[^(;]*?(\w+)(?:\[[^;]*\])?;", f.read(), re.M))
    if "--list" in sys.argv[1:]:
        print("\n".join(sorted(names)))
        return
    print("/* SPDX-License-Identifier: MIT */")
    print("/* The public names of libkmem.so.0. Written by `make exports`; a test compares. */")
    print("KMEM_0.1 {\nglobal:")
    for name in sorted(names):
        print("\t%s;" % name)
    print("local:\n\t*;\n};")


main()
