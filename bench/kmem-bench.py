#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""
The driver of the benchmark: `kmem bench` runs it, and docs/benchmarks.md tells how each number is
made. Every round of every workload is a process of its own, the allocators take turns, and what is
compared was measured in the same run.

Exit status: 0 all was measured, 1 something of libkmem's failed, 2 wrong usage, 3 the environment.
"""
import sys

sys.dont_write_bytecode = True

import argparse  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import subprocess  # noqa: E402
import tempfile  # noqa: E402

import goals  # noqa: E402
import measure  # noqa: E402
import page  # noqa: E402
import table  # noqa: E402

FULL = {"rounds": 11, "ms": 40}
QUICK = {"rounds": 5, "ms": 6}


class Parser(argparse.ArgumentParser):
    def error(self, message):
        self.exit(2, "kmem bench: %s\nTry 'kmem help bench'.\n" % message)


def number(least, most):
    def parse(text):
        if not text.isdigit() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError("%s: not a number from %d to %d" % (text, least, most))
        return int(text)
    return parse


def options():
    p = Parser(prog="kmem bench", allow_abbrev=False, add_help=False)
    p.add_argument("--quick", action="store_true")
    p.add_argument("--rounds", type=number(1, 1000))
    p.add_argument("--ms", type=number(1, 100000))
    p.add_argument("--threads", type=number(1, 256), default=os.cpu_count() or 1)
    p.add_argument("--peers")
    p.add_argument("--peer", action="append", default=[], metavar="NAME=LIBRARY")
    p.add_argument("--trace", action="append")
    p.add_argument("--out")
    p.add_argument("--list", action="store_true")
    p.add_argument("--lib", default=os.path.join(measure.HERE, ".."))
    p.add_argument("workload", nargs="*")
    o = p.parse_args()
    for name, value in (QUICK if o.quick else FULL).items():
        if getattr(o, name) is None:
            setattr(o, name, value)
    return o


def prepare_out(folder):
    """Looked at first: nobody wants to hear of a full hour's work that it cannot be written."""
    try:
        os.makedirs(folder, exist_ok=True)
        for name in ("results.json", "report.html"):
            with open(os.path.join(folder, name), "a", encoding="utf-8"):
                pass
    except OSError as e:
        raise measure.Environment("%s: %s" % (e.filename or folder, e.strerror)) from e


def write_out(folder, result):
    for name, text in (("results.json", json.dumps(result, indent=1) + "\n"),
                       ("report.html", page.html(result))):
        path = os.path.join(folder, name)
        try:
            with open(path + ".new", "w", encoding="utf-8") as f:
                f.write(text)
            os.replace(path + ".new", path)
        except OSError as e:
            raise measure.Environment("%s: %s" % (path, e.strerror)) from e


def bench(o):
    with tempfile.TemporaryDirectory() as tmp:
        return bench_in(o, tmp)


def bench_in(o, tmp):
    suite = measure.Suite(o, tmp)
    if o.list:
        print("\n".join(suite.names()))
        return 0
    chosen = suite.choose(o.workload)
    if o.out:
        prepare_out(o.out)
    print(table.head(suite.machine, o, suite.missing), flush=True)
    for name in chosen:
        suite.run(name)
        print(table.workload(suite, name), flush=True)
    result = suite.result()
    result["goals"] = goals.goals(suite)
    print(table.goals(result["goals"], unmeasured=not o.workload))
    for line in suite.missing + suite.failures:
        print(line)
    if o.out:
        write_out(o.out, result)
        print("written: %s" % ", ".join(os.path.join(o.out, f)
                                        for f in ("report.html", "results.json")))
    return 1 if suite.own_failures else 0


def main():
    try:
        status = bench(options())
        sys.stdout.flush()
        return status
    except measure.Usage as e:
        print("kmem bench: %s\nTry 'kmem help bench'." % e, file=sys.stderr)
        return 2
    except measure.Environment as e:
        print("kmem bench: %s" % e, file=sys.stderr)
        return 3
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 3
    except OSError as e:
        print("kmem bench: standard output: %s" % e.strerror, file=sys.stderr)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 3
    except (KeyboardInterrupt, subprocess.SubprocessError) as e:
        print("kmem bench: %s" % (e or "interrupted"), file=sys.stderr)
        return 3


sys.exit(main())
