# SPDX-License-Identifier: MIT
"""
The goals: ratio of ours to the best peer of the same run, and the worst of the cases named is what
counts. A goal nothing of which was run is not measured; that is a verdict too. The goals in instructions
are no matter of a clock: docs/performance.md has them, and the tests count.
"""

import statistics

import measure

SMALL = ["8", "16", "32", "64", "128", "256", "512", "1024"]
BATCHES = ["%d %s" % (n, how) for n in (100, 1000, 10000) for how in ("fifo", "lifo", "random")]


def against_best(suite, subject, workload, cases=None):
    """The rounds' ratios, and where they are from, of each case."""
    for case in suite.series.get(workload, {}):
        if cases is None or case in cases:
            best = suite.best_peer(workload, case)
            yield suite.ratios(workload, case, subject, best), "%s %s: %s" % (workload, case, best)


def against(suite, subject, workload, cases, other):
    for case in suite.series.get(workload, {}):
        if case in cases:
            yield suite.ratios(workload, case, subject, other), "%s %s" % (workload, case)


def goal(text, limit, found):
    found = [(statistics.median(ratios), ratios, where) for ratios, where in found if ratios]
    made = {"goal": text, "limit": limit, "measured": None, "low": None, "high": None, "where": "-",
            "verdict": "not measured"}
    if not found:
        return made
    measured, ratios, where = max(found, key=lambda f: f[0])
    low, high = measure.quartiles(ratios)
    made.update(measured=measured, low=low, high=high, where=where,
                verdict="reached" if measured <= limit
                else "missed by %.0f%%" % (100 * (measured / limit - 1)))
    return made


def threads(suite):
    for name in ("kmem kmalloc", "kmem malloc"):
        for workload in ("handoff", "server", "churn"):
            yield name, workload


def goals(suite):
    found = [
        goal("cache alloc + free, 8..1024: of the best malloc's pair", 0.65,
             against_best(suite, "kmem cache", "pair", SMALL)),
        goal("cache alloc + free, 8..1024: of the bare rseq stack pair", 1.4,
             against(suite, "kmem cache", "pair", SMALL, "bare stack"))]
    for name, what in (("kmem kmalloc", "kmalloc + kfree"), ("kmem malloc", "malloc + free")):
        found.append(goal("%s, 8..1024" % what, 0.85, against_best(suite, name, "pair", SMALL)))
    found += [
        goal("cache, linked with the archive: of the best malloc's so", 0.65,
             against_best(suite, "kmem cache", "linked", SMALL)),
        goal("cache, linked with the archive: of the bare rseq stack pair", 1.4,
             against(suite, "kmem cache", "linked", SMALL, "bare stack")),
        goal("kmalloc, linked with the archive: of the best malloc's so", 0.85,
             against_best(suite, "kmem kmalloc", "linked", SMALL)),
        goal("malloc, linked with the archive: of the best malloc's so", 0.85,
             against_best(suite, "kmem malloc", "linked", SMALL))]
    for name in ("kmem cache", "kmem kmalloc", "kmem malloc"):
        found.append(goal("%s: N of 100..10,000, then free" % name, 0.85,
                          against_best(suite, name, "batch", BATCHES)))
    for name, workload in threads(suite):
        found.append(goal("%s: %s" % (name, workload), 0.8, against_best(suite, name, workload)))
    found.append(goal("pages, order 0, 2 threads: of the textbook buddy", 0.2,
                      against(suite, "kmem pages", "pages", [
                          "pair, order 0, 2 threads", "set, order 0, 2 threads"],
                          "textbook buddy")))
    for name in sorted(suite.programs):
        found.append(goal("%s: wall time" % name, 1.0,
                          against_best(suite, "kmem malloc", name, ["wall"])))
        found.append(goal("%s: peak RSS" % name, 1.1,
                          against_best(suite, "kmem malloc", name, ["peak RSS"])))
    for name in ("kmem kmalloc", "kmem malloc"):
        found.append(goal("%s: RSS over live bytes" % name, 1.0,
                          against_best(suite, name, "fragment", ["and other sizes"])))
    for name in ("kmem cache", "kmem kmalloc", "kmem malloc"):
        found.append(goal("%s: worst latency, less the empty loop's" % name, 0.5,
                          against_best(suite, name, "latency", ["alloc max", "free max"])))
    return found
