#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
Every restartable sequence of the libraries, and of a program that has its own, as it was assembled. The kernel
forgets a descriptor where it finds the thread outside of its sequence: so the first instruction must come right
behind the store that announces it. With one in between, a thread that is interrupted there goes on unprotected.
And the signature must stand before the abort address, or the kernel kills.
"""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import ROOT, done, none, ok, skip  # noqa: E402

DESCRIPTOR = 32  # bytes: version and flags; first instruction, length, abort address
HOST = os.uname().machine
KINDS = {
    "x86_64": (r"mov\s+%rax,(%fs:)?0x8\(%r\w+\)", 0x53053053),
    "aarch64": (r"str\s+x8, \[x\d+, #8\]", 0xd428bc00),
}


def output(*argv):
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout


def sections(path):
    """Name: address, offset in the file and size of each."""
    rows = re.findall(r"\] (\S+)\s+\S+\s+(\w+) (\w+) (\w+) ", output("readelf", "-SW", path))
    return {name: tuple(int(x, 16) for x in row) for name, *row in rows}


def sequences(path):
    """First instruction and abort address of each; they are filled in when the library is loaded."""
    at, _, size = sections(path)["__rseq_cs"]
    relative = re.findall(r"^(\w+)\s+\w+\s+R_\w+_RELATIVE\s+(\w+)$", output("readelf", "-rW", path), re.M)
    values = {int(where, 16): int(what, 16) for where, what in relative}
    return [(values[d + 8], values[d + 24]) for d in range(at, at + size, DESCRIPTOR)]


def before(objdump, path):
    """Address: the instruction that ends there."""
    lines = re.findall(r"^\s+(\w+):\t(.*)$", output(objdump, "-d", "--no-show-raw-insn", path), re.M)
    return {int(b[0], 16): a[1] for a, b in zip(lines, lines[1:])}


def judge(path, objdump, store, signature):
    at, offset, _ = sections(path)[".text"]
    instruction = before(objdump, path)
    with open(path, "rb") as f:
        text = f.read()
    found = sequences(path)
    none(("%#x: behind '%s'" % (first, instruction.get(first)) for first, _ in found
          if not re.match(store, instruction.get(first, ""))),
         "%s: each sequence begins right behind its store" % os.path.relpath(path, ROOT))
    none(("%#x" % end for _, end in found
          if int.from_bytes(text[end - at + offset - 4:end - at + offset], "little") != signature),
         "the signature stands before each abort address")
    ok(len(found) > 10, "there are sequences", len(found))


def main():
    for arch, (store, signature) in KINDS.items():
        build = os.path.join(ROOT, "build", "posix-%s%s" % (arch, "" if arch == HOST else "-debug"))
        objdump = "objdump" if arch == HOST else arch + "-linux-gnu-objdump"
        libs = [os.path.join(build, n) for n in ("libkmem.so.0", "libkmem-malloc.so.0")]
        if arch == "x86_64":
            libs.append(os.path.join(build, "bench", "bench-kmalloc"))  # those inside of a program
        if arch != HOST and (not shutil.which(objdump) or not os.path.isfile(libs[0])):
            skip(arch, "there is no build, or no objdump, for it")
            continue
        for path in libs:
            judge(path, objdump, store, signature)
    done()


main()
