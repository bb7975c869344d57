# SPDX-License-Identifier: MIT
"""
The report as one page of HTML: charts and tables in the text itself, nothing fetched from anywhere,
legible in light and in dark.
"""
from html import escape

import table

COLOURS = {"kmem cache": "#1f5fd0", "kmem kmalloc": "#4f93f0", "kmem malloc": "#0f9d8a",
           "kmem pages": "#1f5fd0", "glibc": "#8b919c", "jemalloc": "#c98a1b",
           "mimalloc": "#a855b5", "tcmalloc": "#c2504b", "textbook buddy": "#8b919c",
           "bare stack": "#6b7280", "DPDK mempool": "#0e7490"}
OTHERS = ["#7a9a3a", "#b0703c", "#5a7f8f", "#95668f"]

STYLE = """
:root { color-scheme: light dark; --back: #ffffff; --text: #1b1f24; --dim: #5c6570; --line: #d5dae0;
  --good: #14753a; --bad: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --back: #14171b; --text: #e6e9ed; --dim: #9aa4b0;
  --line: #353c45; --good: #5fce8a; --bad: #ff8f86; } }
body { background: var(--back); color: var(--text); margin: 2rem auto; max-width: 72rem;
  padding: 0 1rem; font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.15rem; margin: 2.2rem 0 .4rem; }
p, .dim { color: var(--dim); } .scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { padding: .2rem .7rem .2rem 0; border-bottom: 1px solid var(--line); text-align: right;
  white-space: nowrap; }
th:first-child, td:first-child, td.where { text-align: left; }
.reached { color: var(--good); } .missed { color: var(--bad); }
svg { display: block; max-width: 100%; height: auto; }
svg text { fill: var(--text); font: 11px system-ui, sans-serif; }
svg text.dim { fill: var(--dim); } svg line { stroke: var(--line); }
svg line.one { stroke: var(--text); stroke-dasharray: 3 3; }
summary { cursor: pointer; color: var(--dim); margin: .4rem 0; }
.key { display: inline-block; width: .8em; height: .8em; margin: 0 .35em 0 1em; }
"""

LEFT, WIDTH, RIGHT, BAR, GAP, MOST = 190, 560, 150, 13, 9, 4.0


def colours(subjects):
    spare = iter(OTHERS * len(subjects))
    return {s: COLOURS.get(s) or next(spare) for s in subjects}


def by_case(rows):
    cases = {}
    for r in rows:
        cases.setdefault(r["case"], []).append(r)
    return cases


def relative(row, rows):
    """To the best peer's median; where there is none, to the least of all."""
    best = next((r["median"] for r in rows if r["subject"] == row["best"]), None)
    base = best or min(r["median"] for r in rows) or 1
    return row["median"] / base


def chart(name, rows, colour):
    """Bars by case, as multiples of the best peer; what is longer than the page is cut off."""
    cases = by_case(rows)
    most = min(MOST, max(relative(r, c) for c in cases.values() for r in c))
    most = max(most, 1.2)
    height = sum(len(c) * BAR + GAP for c in cases.values()) + 22
    one = LEFT + WIDTH / most
    out = ['<svg viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">' % (
        LEFT + WIDTH + RIGHT, height, LEFT + WIDTH + RIGHT, height, escape(name, True))]
    y = 4
    for case, found in cases.items():
        out.append('<text x="%d" y="%d" text-anchor="end">%s</text>' % (
            LEFT - 8, y + len(found) * BAR / 2 + 4, escape(case)))
        for r in found:
            times = relative(r, found)
            w = max(1, WIDTH * min(times, most) / most)
            out.append('<rect x="%d" y="%d" width="%.1f" height="%d" fill="%s"><title>%s</title>'
                       '</rect>' % (LEFT, y, w, BAR - 3, colour[r["subject"]],
                                    escape("%s: %s %s, %.2f of the best" % (
                                        r["subject"], table.value(r["median"]), r["unit"], times))))
            out.append('<text class="dim" x="%.1f" y="%d">%s%s %s</text>' % (
                LEFT + w + 5, y + BAR - 4, "&#8594; " if times > most else "",
                table.value(r["median"]), escape(r["unit"])))
            y += BAR
        y += GAP
    out.append('<line class="one" x1="%.1f" x2="%.1f" y1="0" y2="%d"/>' % (one, one, y))
    out.append('<text class="dim" x="%.1f" y="%d" text-anchor="middle">%s</text>' % (
        one, y + 12, "textbook buddy" if rows[0]["best"] == "textbook buddy" else "best peer"))
    out.append("</svg>")
    return "".join(out)


def grid(head, rows):
    out = ['<div class="scroll"><table><tr>']
    out += ["<th>%s</th>" % escape(h) for h in head]
    out.append("</tr>")
    for row in rows:
        out.append("<tr>%s</tr>" % "".join("<td>%s</td>" % escape(c) for c in row))
    return "".join(out + ["</table></div>"])


def numbers(rows, subjects):
    """Median, quartiles and ratio to the best peer, for who wants them."""
    body = []
    for case, found in by_case(rows).items():
        for r in sorted(found, key=lambda r: subjects.index(r["subject"])):
            body.append([case, r["subject"], table.value(r["median"]), table.value(r["q1"]),
                         table.value(r["q3"]), r["unit"],
                         "%.2f" % r["ratio_best"] if r["ratio_best"] is not None else "-",
                         r["best"] or "-"])
    return grid(["case", "subject", "median", "lower quartile", "upper quartile", "unit",
                 "ratio to best", "best peer"], body)


def goals(found):
    out = ['<div class="scroll"><table><tr><th>goal</th><th>limit</th><th>measured</th>'
           '<th>quartiles</th><th>verdict</th><th>worst at</th></tr>']
    for g in found:
        style = g["verdict"].split()[0]
        out.append('<tr><td>%s</td><td>%.2f</td><td>%s</td><td>%s</td><td class="%s">%s</td>'
                   '<td class="where">%s</td></tr>' % (
                       escape(g["goal"]), g["limit"],
                       "%.2f" % g["measured"] if g["measured"] is not None else "-",
                       "%.2f..%.2f" % (g["low"], g["high"]) if g["measured"] is not None else "-",
                       escape(style), escape(g["verdict"]), escape(g["where"])))
    return "".join(out + ["</table></div>"])


def legend(subjects, colour):
    return "<p>%s</p>" % "".join('<span class="key" style="background:%s"></span>%s' % (
        colour[s], escape(s)) for s in subjects)


def html(result):
    m, o, subjects = result["machine"], result["options"], result["subjects"]
    colour = colours(subjects)
    out = ['<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
           '<meta name="viewport" content="width=device-width, initial-scale=1">'
           '<title>libkmem: benchmark</title><style>%s</style></head><body>' % STYLE,
           "<h1>libkmem: benchmark</h1><p>%s, %d CPUs, Linux %s, load %.1f at the start. %d rounds of "
           "%d ms a case, up to %d threads. Medians of the rounds; less is better everywhere. Bars are "
           "multiples of the best peer of the same run.</p>" % (
               escape(m["cpu"]), m["cpus"], escape(m["kernel"]), m["load"], o["rounds"], o["ms"],
               o["threads"])]
    out += ["<p>%s</p>" % escape(line) for line in result["missing"] + result["failures"]]
    out.append("<h2>Goals</h2>" + goals(result["goals"]))
    for name in dict.fromkeys(r["workload"] for r in result["results"]):
        rows = [r for r in result["results"] if r["workload"] == name]
        there = [s for s in subjects if any(r["subject"] == s for r in rows)]
        out.append("<h2>%s</h2>%s%s<details><summary>numbers</summary>%s</details>" % (
            escape(name), legend(there, colour), chart(name, rows, colour), numbers(rows, subjects)))
    return "\n".join(out + ["</body></html>\n"])
