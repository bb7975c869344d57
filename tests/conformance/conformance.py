#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Which statement of the conformance list is tested where.

usage: tests/conformance/conformance.py            TAP: nothing is forgotten, the document is fresh
       tests/conformance/conformance.py --write    writes docs/conformance.md

docs/conformance.tsv lists the statements. A test of statement 24 is called TEST(S24_...); of two,
TEST(S24_S25_...); in a script, a word that begins so.
"""
import os
import re
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from tap import ROOT, done, none, ok  # noqa: E402

TABLE, DOCUMENT = "docs/conformance.tsv", "docs/conformance.md"
# Here a statement in scope has a test, or the table says why it has none.
CLOSED = ["flags and zone selection", "watermarks and reserves", "slow path", "zones",
          "buddy and per-CPU lists", "kmalloc", "slab caches", "mempool",
          "shrinkers, reclaim, kswapd", "text formats"]
UNTOLD = "no test yet"

HEAD = """# Conformance

Every call of libkmem has a law: 218 statements of what the Linux kernel's allocator does in a given
situation. Each line below is one of them in short, and the test that holds libkmem to it, or why
there is none. `make conformance` writes this page from `docs/conformance.tsv` and the names of the
tests; `make test` fails when it is stale.

%d statements are in scope, %d of them tested; %d are out of scope.
"""


def statements():
    """(id, area, in scope?, text, why it is open) of each line."""
    with open(os.path.join(ROOT, TABLE), encoding="utf-8") as f:
        for line in f:
            if not line.startswith("#"):
                number, area, scope, text, *why = line.rstrip("\n").split("\t")
                yield int(number[1:]), area, scope == "in", text, why[0] if why else ""


def tests():
    """Statement -> [(file, test)], by the names of the tests."""
    found = {}
    for folder, _, files in sorted(os.walk(os.path.join(ROOT, "tests"))):
        for name in sorted(f for f in files if f.endswith((".c", ".sh"))):
            path = os.path.join(folder, name)
            opening = r"^TEST\(" if name.endswith(".c") else r"\b"
            with open(path, encoding="utf-8") as f:
                calls = re.findall(opening + r"(S\d+(?:_S\d+)*)(_\w+)", f.read(), re.M)
            for numbers, rest in calls:
                for number in numbers.split("_"):
                    found.setdefault(int(number[1:]), []).append(
                        (os.path.relpath(path, ROOT), numbers + rest))
    return found


def row(number, in_scope, text, why, where):
    if where:
        links = ["[%s](../%s)" % (test, path) for path, test in where]
        shown = ", ".join(links) + (" (%s)" % why if why else "")
    else:
        shown = ("out of scope: " if not in_scope else "open: ") + (why or UNTOLD)
    return "| S%d | %s | %s |" % (number, text.replace("|", "\\|"), shown)


def document(table, where):
    scoped = [s for s in table if s[2]]
    text = HEAD % (len(scoped), sum(1 for s in scoped if s[0] in where), len(table) - len(scoped))
    area = None
    for number, its_area, in_scope, words, why in table:
        if its_area != area:
            area = its_area
            text += "\n## %s\n\n| | Statement | Test |\n|---|---|---|\n" % (
                area[0].upper() + area[1:])
        text += row(number, in_scope, words, why, where.get(number)) + "\n"
    return text


def main():
    table, where = list(statements()), tests()
    text, path = document(table, where), os.path.join(ROOT, DOCUMENT)
    if "--write" in sys.argv[1:]:
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return
    ok([s[0] for s in table] == list(range(1, 219)), "the table has S1 to S218 in order")
    for area in CLOSED:
        none(("S%d: %s" % (number, words) for number, its, in_scope, words, why in table
              if its == area and in_scope and number not in where and not why),
             "%s: each statement has a test, or a reason" % area)
    none(("%s: %s is no statement" % (where[n][0][0], n) for n in where if not 1 <= n <= 218),
         "no test is named after a statement that does not exist")
    committed = ""
    if os.path.exists(path):
        with open(path, encoding="utf-8") as f:
            committed = f.read()
    ok(committed == text, DOCUMENT + " is fresh", "run make conformance")
    done()


main()
