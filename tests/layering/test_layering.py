#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The rules of the house that text alone can show: floors, conditionals, atomics, sizes, format."""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import ROOT, done, none, run, skip  # noqa: E402

FLOORS = ["base", "sync", "trace", "phys", "reclaim", "gfp", "slab", "pool", "boot", "report"]
FREESTANDING = {"stdint.h", "stddef.h", "stdbool.h", "stdarg.h"}
FILE_LINES, FUNCTION_LINES = 800, 70
SOURCE = (".c", ".h", ".py", ".sh", ".pl", ".mk", ".map", ".S", ".cc")


def tree():
    """The files of the project: tracked, or new and not ignored; all, outside a repository."""
    git = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True,
                         capture_output=True, check=False)
    if git.returncode == 0 and git.stdout:
        return [f for f in sorted(set(git.stdout.splitlines()))
                if os.path.isfile(os.path.join(ROOT, f))]
    found = []
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [d for d in folders if d not in (".git", "build", "__pycache__")]
        found += [os.path.relpath(os.path.join(folder, f), ROOT) for f in files]
    return sorted(found)


def read(path):
    with open(os.path.join(ROOT, path), "rb") as f:
        return f.read().decode("utf-8", "replace")


def code_of(text):
    """C without comments and strings; the lines stay where they are."""
    def blank(m):
        return re.sub(r"[^\n]", " ", m.group(0))
    pattern = r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'"
    return re.sub(pattern, blank, text, flags=re.S)


def lines_with(pattern, paths, strip=False):
    for path in paths:
        text = read(path)
        for nr, line in enumerate((code_of(text) if strip else text).splitlines(), 1):
            if re.search(pattern, line):
                yield "%s:%d: %s" % (path, nr, line.strip()[:120])


def includes(path):
    """(line number, "<" or '"', name) of each include."""
    for nr, line in enumerate(read(path).splitlines(), 1):
        m = re.match(r"\s*#\s*include\s*([<\"])([^>\"]+)[>\"]", line)
        if m:
            yield nr, m.group(1), m.group(2)


def upward(paths):
    for path in paths:
        floor = path.split("/")[1]
        if floor not in FLOORS:
            yield "%s: %s is no floor" % (path, floor)
            continue
        for nr, _, name in includes(path):
            other = name.split("/")[0]
            if "/" in name and other in FLOORS and FLOORS.index(other) > FLOORS.index(floor):
                yield "%s:%d: includes %s, a higher floor" % (path, nr, name)
            if ".." in name:
                yield "%s:%d: includes %s, which hides its floor" % (path, nr, name)


def hosted(paths):
    for path in paths:
        for nr, kind, name in includes(path):
            known = name in FREESTANDING or name.startswith("kmem/") or name == "build_config.h"
            if kind == "<" and not known:
                yield "%s:%d: <%s> belongs to a C library" % (path, nr, name)


def long_functions(paths):
    """In kernel style a body is what lies between a { and a } that begin a line alone."""
    for path in paths:
        start = 0
        for nr, line in enumerate(read(path).splitlines(), 1):
            if line == "{":
                start = nr
            elif line == "}" and start:
                if nr - start - 1 > FUNCTION_LINES:
                    yield "%s:%d: a function of %d lines" % (path, start, nr - start - 1)
                start = 0


def without_spdx(paths):
    for path in paths:
        if "SPDX-License-Identifier: MIT" not in "".join(read(path).splitlines(True)[:2]):
            yield path


def by_tool(name, tool, argv, paths):
    if not paths:
        skip(name, "there is nothing to look at yet")
    elif not shutil.which(tool):
        skip(name, "%s is not installed" % tool)
    else:
        result = run(argv + paths)
        lines = [line for line in result.stdout.splitlines() if line.strip()]
        if tool.startswith("clang-format"):
            lines = sorted({line.split(":")[0] for line in lines if "clang-formatted" in line})
        none(lines or (["%s: status %d" % (tool, result.returncode)] if result.returncode else []),
             name)


def main():
    files = tree()
    src = [f for f in files if re.match(r"src/.*\.[ch]$", f)]
    c_files = [f for f in files if f.endswith((".c", ".h")) and not f.startswith("examples/")]
    source = [f for f in files if f.endswith(SOURCE) or f in ("Makefile", ".ci/run")]
    text = [f for f in files if not f.endswith((".dat", ".gz", ".png"))]
    none(upward(src), "a floor includes itself and lower floors alone")
    none(hosted(src), "the core includes no header of a C library")
    none(lines_with(r"^\s*#\s*(if|ifdef|ifndef|elif|else|endif)\b", src, strip=True),
         "no preprocessor conditional in src/")
    none(lines_with(r"\b(__atomic_\w+|__sync_\w+|_Atomic|volatile)\b",
                    [f for f in src if f != "src/sync/atomic.h"], strip=True),
         "shared memory is touched through src/sync/atomic.h alone")
    none(lines_with(r"\b(goto|setjmp|longjmp)\b", src, strip=True), "no labels in src/")
    none(lines_with(r"\b(float|double)\b", src, strip=True), "no floating point in src/")
    none(long_functions(src), "functions of at most %d lines" % FUNCTION_LINES)
    none(("%s: %d lines" % (f, n) for f in source for n in [read(f).count("\n")]
          if n >= FILE_LINES), "files under %d lines" % FILE_LINES)
    none(without_spdx(source), "every source file names its licence")
    none(lines_with(r"\b(TO[D]O|FIX[M]E|X[X]X)\b", text), "nothing is left for later in the code")
    none(lines_with(r"/(wor[k]|far[m])/|bash_job[s]|/(hom[e]|roo[t])/\w", text),
         "no path of one machine")
    tool = "clang-format-14" if shutil.which("clang-format-14") else "clang-format"
    by_tool("formatted as .clang-format says", tool, [tool, "--dry-run", "-Werror"], c_files)
    by_tool("manual pages pass mandoc", "mandoc", ["mandoc", "-T", "lint", "-W", "warning"],
            [f for f in files if re.match(r"man/[^/]+\.[0-9]$", f)])
    by_tool("shell scripts pass shellcheck", "shellcheck", ["shellcheck", "-x", "-P", "SCRIPTDIR", "-S", "warning"],
            [f for f in files if f.endswith(".sh") or f == ".ci/run"])
    by_tool("spelling of what people read", "codespell", ["codespell", "-q", "3", "-L", "nd"],
            [f for f in files if re.match(r"(docs/.*\.md|[A-Z]+\.md|man/.*|include/.*)$", f)])
    done()


main()
