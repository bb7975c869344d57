# SPDX-License-Identifier: MIT
"""The tables on standard output."""


def value(x):
    if x >= 1000:
        return "%.0f" % x
    return "%.3g" % x if x >= 100 else "%.2f" % x


def grid(rows):
    """Columns of equal width: the first one to the left, the others to the right."""
    widths = [max(len(r[i]) for r in rows) for i in range(len(rows[0]))]
    return "\n".join("  ".join(c.ljust(w) if i == 0 else c.rjust(w)
                               for i, (c, w) in enumerate(zip(r, widths))).rstrip() for r in rows)


def head(machine, o, missing):
    text = "%s, %d CPUs, Linux %s, load %.1f; %d rounds of %d ms a case, up to %d threads" % (
        machine["cpu"], machine["cpus"], machine["kernel"], machine["load"], o.rounds, o.ms,
        o.threads)
    lines = [text, "medians, less is better; +-: half of what lies between the quartiles"]
    if machine["load"] > machine["cpus"] / 2:
        lines.append("NOISY: the machine does other work; with threads most of all, see the spread")
    return "\n".join(lines + missing)


def cell(s):
    q1, q3 = s.quartiles
    spread = 50 * (q3 - q1) / s.median if s.median else 0
    return "%s +-%.0f%%" % (value(s.median), spread)


def workload(suite, name):
    cases = suite.series.get(name, {})
    if not cases:
        return "\n%s: nothing was measured" % name
    there = [s for s in suite.taking_part(name)
             if any(s.name in found for found in cases.values())]
    own = [s.name for s in there if s.own and s.name != "bare stack"]
    units = {s.unit for found in cases.values() for s in found.values()}
    title = "%s, %s" % (name, units.pop()) if len(units) == 1 else name
    rows = [[title] + [s.name for s in there] + [n + " / best" for n in own] + ["best"]]
    for case, found in cases.items():
        best = suite.reference(name, case)
        unit = next(iter(found.values())).unit
        row = [case if title != name else "%s, %s" % (case, unit)] + [cell(found[s.name]) if s.name in found else "-" for s in there]
        for n in own:
            r = suite.ratio(name, case, n, best)
            row.append("%.2f" % r if r is not None else "-")
        rows.append(row + [best or "-"])
    return "\n" + grid(rows)


def goals(found, unmeasured):
    rows = [["goal", "limit", "measured", "quartiles", "verdict", "worst at"]]
    for g in [g for g in found if unmeasured or g["measured"] is not None]:
        measured = g["measured"] is not None
        rows.append([g["goal"], "%.2f" % g["limit"], "%.2f" % g["measured"] if measured else "-",
                     "%.2f..%.2f" % (g["low"], g["high"]) if measured else "-", g["verdict"],
                     g["where"]])
    return "\n" + grid(rows)
