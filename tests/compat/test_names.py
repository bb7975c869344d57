#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Which allocation name of kernel code is where, and how far that goes.

usage: tests/compat/test_names.py                TAP: all of it compiles and links, the document is fresh
       tests/compat/test_names.py --write        writes docs/compat.md
       tests/compat/test_names.py --scan TREE    writes tests/compat/files.tsv from a kernel tree

names.tsv lists the names. One is implemented if a header of ours declares or defines it, if a source of
compat/ defines it for a header of the tree, or if names.tsv says what of the tree has it.
"""
import os
import re
import shlex
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import ROOT, done, none, ok, run, skip  # noqa: E402

TABLE, FIGURES, DOCUMENT = "tests/compat/names.tsv", "tests/compat/files.tsv", "docs/compat.md"
HEADERS, SOURCES = ["compat/linux", "include/kmem", "compat/env"], ["compat/linux/lib", "compat/env/lib"]
TESTS = ["tests/" + f for f in "conformance compat unit env pressure ldd3 limits failures".split()] + [
    "clients", "tests"]
# The families that are the allocator's own; those beside it; "above" are allocators of subsystems.
CORE = ("kmalloc kfree kmem_cache kvmalloc strdup vmalloc pages percpu mempool kmap scope reclaim "
        "debug").split()
BESIDE = ["dma", "devm", "context", "genpool", "memblock"]
BUILT = "build/posix-%s-debug/" % os.uname().machine
LIBRARIES = [BUILT + "libkmem-env.a", BUILT + "libkmem.a", "-lpthread", "-ldl"]
HOSTED = ("cc -std=gnu11 -w -D_GNU_SOURCE -DKMEM_ENV_HOSTED -include compat/env/generated/autoconf.h "
          "-Icompat -Icompat/env -Iinclude")
TREE = os.path.join(ROOT, "build", "linux-source-6.1")
# These are there only with a kernel tree behind: they take its struct scatterlist and notifier_block.
WITH_TREE = ["dma_map_sg", "dma_unmap_sg", "register_oom_notifier", "unregister_oom_notifier"]
SCANNED = ["drivers", "fs", "lib", "mm", "net"]

HEAD = """# What kernel code finds of the allocator

The names by which kernel code allocates, in the order of their call sites in Linux 6.1 (drivers, fs, net,
lib, block, kernel and sound); where each is here, and a test that has the word. `make compat-doc` writes this
page from `tests/compat/names.tsv` and the headers. `tests/compat/test_names.py` fails when it is stale, or
when a function that is listed as there does not compile and link (those that take structures of the kernel
tree: compile, where a tree is unpacked); a macro is only seen to be defined. A dash under "Test": nothing
but that is done with it. "The tree's" is what libkmem leaves to the kernel tree behind its headers
([env.md](env.md)).

## Coverage

In call sites. The core families are the allocator's own; DMA, managed memory and contexts lie beside it.

| Family | Names | There | Call sites | Covered | Missing, by call sites |
|---|---|---|---|---|---|
"""


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8", errors="replace") as f:
        return f.read()


def walk(root, folder, ending):
    for where, folders, files in os.walk(os.path.join(root, folder)):
        folders.sort()
        for name in sorted(files):
            if name.endswith(ending):
                yield os.path.relpath(os.path.join(where, name), root)


def code(text):
    """C without its comments and strings."""
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', " ", text, flags=re.S)


def rows(path):
    for line in read(path).splitlines():
        if not line.startswith("#"):
            yield line.split("\t")


def names():
    """(rank, name, family, call sites, the tree's file or None), in the order of the ranks."""
    for rank, name, family, sites, _, *tree in rows(TABLE):
        yield int(rank), name, family, int(sites), tree[0] if tree else None


def declared():
    """Name -> the first header of ours that defines or declares it; a source where none does."""
    found = {}
    for folders, ending, pattern in (
            (HEADERS, ".h", r"^[ \t]*#[ \t]*define[ \t]+(\w+)|^[a-z_][\w \t*]*?\b(\w+)\("),
            (SOURCES, ".c", r"^(?!static\b)[a-z][\w \t*]*?\b(\w+)\(")):
        for folder in folders:
            for path in walk(ROOT, folder, ending):
                for match in re.finditer(pattern, code(read(path)), re.M):
                    for name in filter(None, match.groups()):
                        found.setdefault(name, path)
    return found


def located(table=None):
    """Name -> where it is implemented: a path of ours, or "the tree's PATH"."""
    ours = declared()
    places = {n: "the tree's " + tree if tree else ours.get(n) for _, n, _, _, tree in table or names()}
    return {name: path for name, path in places.items() if path}


def tested():
    """Word -> the first test that has it."""
    found = {}
    for folder in TESTS:
        for path in walk(ROOT, folder, ".c"):
            for word in set(re.findall(r"\w+", code(read(path)))):
                found.setdefault(word, path)
    return found


def link(path):
    if path.startswith("the tree's"):
        return "the tree's `%s`" % path[len("the tree's "):]
    return "[%s](../%s)" % (path, path) if path else "—"


def coverage(label, table, where):
    there = [t for t in table if t[1] in where]
    sites, covered = sum(t[3] for t in table), sum(t[3] for t in there)
    missing = ["%s %d" % (t[1], t[3]) for t in table if t[1] not in where]
    shown = ", ".join(missing[:4]) + (", and %d more" % (len(missing) - 4) if len(missing) > 4 else "")
    return "| %s | %d | %d | %d | %.2f %% | %s |\n" % (
        label, len(table), len(there), sites, 100.0 * covered / sites, shown)


def document():
    table, where, tests = list(names()), located(), tested()
    text = HEAD
    for family in CORE + BESIDE:
        text += coverage(family, [t for t in table if t[2] == family], where)
    text += coverage("**core**", [t for t in table if t[2] in CORE], where)
    text += coverage("**core, DMA and managed**", [t for t in table if t[2] in CORE + ["dma", "devm"]], where)
    above = [t for t in table if t[2] == "above"]
    text += ("\nNot counted: %d names with %d call sites (`%s` and others) are allocators of subsystems above "
             "this one: network buffers, block requests, USB, ID and tree structures. They are the tree's own, "
             "and libkmem has none of them.\n" % (len(above), sum(t[3] for t in above),
                                                  "`, `".join(t[1] for t in above[:3])))
    text += "\nIn whole files: a file of the tree counts when all the names of these lists that it calls are there. "
    text += "Whether it compiles is another matter: it wants the rest of the kernel as well.\n\n"
    text += "| Families | Folder | Files that call one | All are there | |\n|---|---|---|---|---|\n"
    for families, folder, files, whole in rows(FIGURES):
        text += "| %s | %s | %s | %s | %.2f %% |\n" % (
            families, folder, files, whole, 100.0 * int(whole) / int(files))
    text += "\n`tests/compat/test_names.py --scan TREE` counts them again. "
    text += "A name that the list lacks is not seen.\n"
    text += "\n## Names\n\n| | Name | Family | Call sites | Where | Test |\n|---|---|---|---|---|---|\n"
    for rank, name, family, sites, _ in table:
        if family != "above":
            text += "| %d | `%s` | %s | %d | %s | %s |\n" % (
                rank, name, family, sites, link(where[name]) if name in where else "**missing**",
                link(tests.get(name, "")))
    return text


def scan(tree):
    """Which files of a kernel tree call only what is there."""
    table, where = list(names()), located()
    out = ["# Whole files of Linux 6.1.192, counted by test_names.py --scan: families, folder, files, whole files."]
    used = {}
    for folder in SCANNED:
        for path in walk(tree, folder, ".c"):
            with open(os.path.join(tree, path), encoding="utf-8", errors="replace") as f:
                used[path] = set(re.findall(r"\b(\w+)[ \t]*\(", code(f.read())))
    for label, families in (("core", CORE), ("core, DMA and managed", CORE + ["dma", "devm"])):
        wanted = {t[1] for t in table if t[2] in families}
        for folder in SCANNED + ["all"]:
            calls = [words & wanted for path, words in used.items()
                     if folder == "all" or path.startswith(folder + "/")]
            calls = [c for c in calls if c]
            out.append("%s\t%s\t%d\t%d" % (label, folder, len(calls), sum(1 for c in calls if c <= set(where))))
    return "\n".join(out) + "\n"


def program(where):
    """C that takes the address of each function, with all the headers; a macro need only be there."""
    headers = {re.sub("^(compat/env|compat|include)/", "", p) for p in where.values() if p.endswith(".h")}
    # <linux/shrinker.h> before <kmem/shrinker.h>: it makes room for a name of the tree.
    text = ["#include <%s>" % h for h in sorted(headers, key=lambda h: (h.startswith("kmem/"), h))]
    text.append("#ifdef KMEM_ENV_HOSTED")
    text += ["void %s(void);" % name for name, path in sorted(where.items()) if path.endswith(".c")]
    text.append("#endif")
    text.append("void (*const taken[])(void) = {")
    for name in sorted(where):
        text += ["#ifndef " + name, "\t(void (*)(void))%s," % name, "#endif"]
    return "\n".join(text + ["};", "int main(void)", "{", "\treturn !taken[0];", "}", ""])


def builds(where, command, name):
    """One test: these names compile, and link where the command does that."""
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "names.c")
        with open(source, "w", encoding="utf-8") as f:
            f.write(program(where))
        made = run(shlex.split(command) + [source, "-o", os.path.join(folder, "names")] + LIBRARIES)
    lines = made.stdout.splitlines()
    ok(made.returncode == 0, name, "\n".join([t for t in lines if re.search("error|undefined", t)][:40] or lines[-9:]))


def test():
    where = located()
    ours = {n: p for n, p in where.items() if not p.startswith("the tree's ") and n not in WITH_TREE}
    made = run(["make", "-s", "--no-print-directory", "VARIANT=debug"] + LIBRARIES[:2])
    if ok(made.returncode == 0, "the libraries are built", made.stdout):
        builds(ours, HOSTED, "%d names compile and link in a hosted program" % len(ours))
    if os.path.exists(os.path.join(TREE, ".unpacked")):
        told = run(["make", "-s", "--no-print-directory", "VARIANT=debug", "env-flags", "K=" + TREE]).stdout
        trees = {n: re.sub("^(the tree's )?lib/(.*)c$", r"include/linux/\2h", p).replace("the tree's ", "")
                 for n, p in where.items() }
        builds(trees, told.splitlines()[-2] + " -c", "%d names compile with a kernel tree behind" % len(trees))
    else:
        skip("the names compile with a kernel tree behind", "no tree: clients/run.py unpacks it")
    path, committed = os.path.join(ROOT, DOCUMENT), ""
    if os.path.exists(path):
        committed = read(path)
    ok(committed == document(), DOCUMENT + " is fresh", "run make compat-doc")
    done()


def main():
    if sys.argv[1:2] == ["--scan"] and len(sys.argv) == 3:
        path, text = FIGURES, scan(sys.argv[2])
    elif sys.argv[1:] == ["--write"]:
        path, text = DOCUMENT, document()
    elif len(sys.argv) == 1:
        return test()
    else:
        sys.exit(__doc__)
    with open(os.path.join(ROOT, path), "w", encoding="utf-8") as f:
        f.write(text)
    return None


if __name__ == "__main__":
    main()
