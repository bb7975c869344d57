#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Kernel sources as clients of the library: builds them against compat/, runs them, prints a table.

	clients/run.py [-K TREE] [--tap] [--sweep RUNS] [VARIANT[:CLIENT,...]...]

VARIANT: debug, release, asan, tsan or i386; with names, these clients alone. With --sweep those of them that
kmem sweep is for are run under it, failing at most RUNS of their requests, spread over all they make (0: as
many as SWEEPS says). Without -K the tree is taken from Debian's package linux-source-6.1 and unpacked, as far
as it is needed, into build/. Exit status: 0, 1 if a client failed, 3 if there is no tree.
"""
import argparse
import contextlib
import fcntl
import glob
import json
import os
import re
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OUT = os.path.join(ROOT, "build", "clients")
TARBALL = "/usr/src/linux-source-6.1.tar.xz"
DEADLINE = 1200
PARTS = ["include", "lib", "mm", "fs/mbcache.c", "net/ceph/string_table.c", "drivers/base/devres.c"]
# The folder of the library, make's words for it, kmem cc's for a program.
VARIANTS = {
    "release": ("build/posix-x86_64", "VARIANT=release", ""),
    "debug": ("build/posix-x86_64-debug", "VARIANT=debug", "-O1"),
    "asan": ("build/posix-x86_64-asan", "VARIANT=asan", "--asan"),
    "tsan": ("build/posix-x86_64-tsan", "VARIANT=tsan", "--tsan"),
    "i386": ("build/posix-i386-debug", "ARCH=i386 VARIANT=debug", "-m32 -O1"),
}
# The test marks a removed object while other tasks may still compare it. Such a stack is known only where it
# is remembered, so as long as can be.
KNOWN_RACES = "race_top:threadfunc\n"

# Faults of the sources themselves, as they report them; no other line of this kind is let pass.
KNOWN_BUGS = {"maple_tree": ["BUG at next_prev_test:1991 (1)"]}
# The machine is kept full, so all code meets reclaim; requests that may not wait fail one time in three.
PRESS = "mem=16M env.press"
NOWAIT = PRESS + " failslab=1,33,0,-1"
# It frees what is not allocated, 128 times, and says -EINVAL when all went well. A bitmap that cannot be
# stored for want of a node is lost: the source's own leak, where a request that may not wait fails.
IDA = " expect=ida_checks:neg expect=warnings:128 expect=leaks:99"

# name: sources (of the tree, or ours; -D words are for all of them), arguments, what says how many checks passed.
CLIENTS = {
    "xarray": ("lib/xarray.c lib/radix-tree.c lib/idr.c lib/test_xarray.c", PRESS,
               r"XArray: (\d+) of \1 tests passed"),
    "xarray_nowait": ("lib/xarray.c lib/radix-tree.c lib/idr.c lib/test_xarray.c", NOWAIT,
                      r"XArray: (\d+) of \1 tests passed"),
    "ida": ("lib/idr.c lib/radix-tree.c lib/xarray.c lib/test_ida.c", PRESS + IDA,
            r"IDA: (\d+) of \1 tests passed"),
    "ida_nowait": ("lib/idr.c lib/radix-tree.c lib/xarray.c lib/test_ida.c", NOWAIT + IDA,
                   r"IDA: (\d+) of \1 tests passed"),
    # See KNOWN_BUGS.
    "maple_tree": ("-DCONFIG_DEBUG_MAPLE_TREE lib/maple_tree.c lib/test_maple_tree.c",
                   PRESS + " expect=maple_tree_seed:neg", r"maple_tree: (\d+) of \d+ tests passed"),
    "rhashtable": ("lib/rhashtable.c lib/test_rhashtable.c", PRESS + " parm_entries=2000 runs=1 tcount=4",
                   r"Started (\d+) threads, 0 failed"),
    # Asks for the largest blocks, so those are what the machine is full of.
    "meminit": ("lib/test_meminit.c", PRESS + "=10 init_on_alloc=1 init_on_free=1", r"all (131) tests passed"),
    "free_pages": ("lib/test_free_pages.c", PRESS, r"Test (completed)"),
    # Two of the ten cases are large: as many mappings, and 35,000 per-CPU areas, as one CPU allows a process.
    "vmalloc_large": ("lib/test_vmalloc.c",
                      "mem=128M nr_cpus=1 env.press test_loop_count=1 nr_threads=1 run_test_mask=130 "
                      "expect=vmalloc_test_init:-11", r"passed: (1) failed: 0"),
    "vmalloc": ("lib/test_vmalloc.c",
                "mem=128M env.press test_loop_count=20 nr_threads=1 run_test_mask=893 expect=vmalloc_test_init:-11",
                r"passed: (1) failed: 0"),
    "overflow": ("lib/overflow_kunit.c", PRESS, r"kunit: (\d+) checks, 0 cases failed"),
    "slub": ("lib/slub_kunit.c", PRESS, r"ok \d (test_\w+)$"),
    "mbcache": ("fs/mbcache.c clients/mbcache_driver.c", "mem=16M", r"mbcache: (\d+) of \1 checks"),
    "btree": ("lib/btree.c clients/btree_driver.c", PRESS, r"btree: (\d+) of \1 checks"),
    "genpool": ("lib/genalloc.c clients/genpool_driver.c", PRESS + "=3", r"genpool: (\d+) of \1 checks"),
    "strings": ("net/ceph/string_table.c clients/strings_driver.c", "mem=16M", r"strings: (\d+) of \1 checks"),
    "radix": ("lib/radix-tree.c lib/xarray.c lib/idr.c clients/radix_driver.c", "mem=16M",
              r"radix: (\d+) of \1 checks"),
}

# Why a client is not run in a variant.
NOT_RUN = {
    ("xarray", "tsan"): "one task, 41 million checks",
    ("xarray_nowait", "tsan"): "one task, 41 million checks",
    ("maple_tree", "tsan"): "one task, 12 million checks",
    ("vmalloc_large", "debug"): "a minute and more, for the 35,000 areas",
    ("vmalloc_large", "asan"): "a minute and more, for the 35,000 areas",
    ("vmalloc_large", "i386"): "a minute and more, for the 35,000 areas",
    ("vmalloc_large", "tsan"): "a minute and more, for the 35,000 areas",
    ("mbcache", "tsan"): "its shrinker counts without the lock: a race of the source",
}
# Under AddressSanitizer free objects are poisoned, but not where a client reads them to see what they hold.
READS_FREE = ["meminit"]

# What kmem sweep runs, by which arguments, and how many failures: small, since each is a whole run, and the
# machine not full, since what the machine itself refuses would hide what is failed.
SWEEPS = {
    "xarray": ("mem=16M", 60),
    "ida": ("mem=16M" + IDA, 300),
    "mbcache": ("mem=2M entries=840", 1000),
    "btree": ("mem=2M keys=100", 1000),
    "genpool": ("mem=2M rounds=500", 1000),
    "strings": ("mem=16M rounds=20", 200),
    "radix": ("mem=16M items=200", 1000),
}
# Findings of the sources' own: the kind, and a function that is in the stack. See IDA.
KNOWN_FINDINGS = {"ida": ("leak", "ida_alloc_range")}


def sh(command, **more):
    return subprocess.run(command, shell=isinstance(command, str), cwd=ROOT, text=True, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace", **more)


@contextlib.contextmanager
def locked(folder):
    """Two of us may run at once."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, ".lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def tree(given):
    if given:
        return os.path.abspath(given)
    path = os.path.join(ROOT, "build", "linux-source-6.1")
    done = os.path.join(path, ".unpacked")
    if not os.path.exists(done) and not os.path.exists(TARBALL):
        return None
    with locked(path):
        if not os.path.exists(done):
            sh(["tar", "--strip-components=1", "-C", path, "-xf", TARBALL] + ["linux-source-6.1/" + p for p in PARTS])
            open(done, "w").close()
    return path


class Builder:
    """One variant: its library, and programs over it by kmem cc."""

    def __init__(self, variant, kernel, *targets):
        self.folder, words, options = VARIANTS[variant]
        self.out = os.path.join(OUT, variant)
        self.command = ["tools/kmem/kmem-cc.py", "--lib", self.folder, "--overlay", "compat", "-K", kernel]
        self.command += options.split()
        with locked(self.out):
            made = sh("make --no-print-directory %s env %s" % (
                words, " ".join(os.path.join(self.folder, t) for t in ("libkmem.a",) + targets)))
        if made.returncode:
            raise RuntimeError(made.stdout)

    def program(self, name, sources):
        """Built again where the library, a header, kmem cc or something here is newer."""
        prog = os.path.join(self.out, name)
        of = (glob.glob(ROOT + "/compat/**/*.h", recursive=True) + glob.glob(ROOT + "/clients/*.*") +
              glob.glob(os.path.join(ROOT, self.folder, "*.a")) + [os.path.join(ROOT, "tools/kmem/kmem-cc.py")])
        with locked(self.out):
            if os.path.exists(prog) and os.path.getmtime(prog) > max(map(os.path.getmtime, of)):
                return prog
            made = sh(self.command + ["-o", prog] + sources.split())
        if made.returncode:
            raise RuntimeError(made.stdout[:2000])
        return prog


def lines_of(kernel, sources):
    return sum(open(os.path.join(kernel, s), errors="replace").read().count("\n")
               for s in sources.split() if not s.startswith(("clients/", "-D")))


def run(prog, args):
    begin = time.time()
    known = os.path.join(OUT, "known_races")
    with open(known, "w", encoding="ascii") as f:
        f.write(KNOWN_RACES)
    try:
        r = sh([prog] + args.split() + ["loglevel=7"], timeout=DEADLINE,
               env=dict(os.environ, TSAN_OPTIONS="history_size=7 suppressions=" + known))
    except subprocess.TimeoutExpired:
        return "", 124, float(DEADLINE)
    return r.stdout, r.returncode, time.time() - begin


def verdict(text, pattern):
    """How many checks passed, and what pressure there was."""
    found = re.findall(pattern, text, flags=re.M)
    numbers = [int(f) for f in found if f.isdigit() and f != "1"]
    end = re.search(r"kmem-env: (\d+) pages allocated, (\d+) requests reclaimed directly, (\d+) slab objects", text)
    return (numbers[-1] if numbers else len(found)), (end.groups() if end else ("-", "-", "-"))


def work(wanted, kernel):
    for word in wanted:
        variant, _, names = word.partition(":")
        builder = None
        for name, (sources, args, pattern) in CLIENTS.items():
            if names and name not in names.split(","):
                continue
            if (name, variant) in NOT_RUN:
                continue
            if variant == "asan" and name not in READS_FREE:
                args += " sanitize=1"
            try:
                builder = builder or Builder(variant, kernel)
                text, status, seconds = run(builder.program(name, sources), args)
            except RuntimeError as error:
                text, status, seconds = str(error), -1, 0.0
            passed, pressure = verdict(text, pattern)
            bugs = re.findall(r"^BUG at .*", text, flags=re.M)
            good = (status == 0 and passed > 0 and "WARNING: ThreadSanitizer" not in text and
                    bugs == KNOWN_BUGS.get(name, []))
            yield name, variant, lines_of(kernel, sources), pressure, passed, seconds, good, text, status


def sweep_json(kmem, prog, args, *options):
    done = subprocess.run([kmem, "sweep", "--json", "--timeout", "120", *options, "--", prog] + args.split() +
                          ["kswapd=0", "loglevel=3"], cwd=ROOT, text=True, check=False, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, errors="replace")
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


def sweep(wanted, kernel, at_most):
    """For each client: what was failed, and what of the findings is known."""
    for word in wanted:
        variant, _, names = word.partition(":")
        builder = None
        for name, (args, runs) in SWEEPS.items():
            if names and name not in names.split(","):
                continue
            builder = builder or Builder(variant, kernel, "kmem")
            kmem, runs = os.path.join(ROOT, builder.folder, "kmem"), min(at_most or runs, runs)
            prog = builder.program(name, CLIENTS[name][0])
            begin = time.time()
            every = max(1, sweep_json(kmem, prog, args, "--max", "1")["requests"] // runs)
            told = sweep_json(kmem, prog, args, "--every", str(every), "--max", str(runs))
            kind, function = KNOWN_FINDINGS.get(name, ("", ""))
            known = [f for f in told["findings"]
                     if f["kind"] == kind and any(place.startswith(function) for place in f["stack"])]
            yield (name, variant, told, sum(f["more"] + 1 for f in known), time.time() - begin,
                   [f for f in told["findings"] if f not in known])


def sweep_main(wanted, kernel, at_most, tap):
    bad = nr = 0
    if not tap:
        print("| client | variant | requests | failed in turn | known findings | seconds | |")
        print("|---|---|---|---|---|---|---|")
    for name, variant, told, known, seconds, found in sweep(wanted, kernel, at_most):
        nr, bad = nr + 1, bad + bool(found)
        runs = told["copied"] + told["restarted"] - told["missed"]
        if tap:
            print("%sok %d - sweep of %s %s: %d requests failed" % (
                "not " if found else "", nr, name, variant, runs))
        else:
            print("| %s | %s | %d | %d | %d | %.1f | %s |" % (
                name, variant, told["requests"], runs, known, seconds, "FINDINGS" if found else "passed"))
        for f in found:
            print("# %(kind)s after request %(request)d, and %(more)d more: signal %(signal)d, status %(status)d, "
                  "%(leaks)d leaks" % f)
            print("\n".join("#    " + place for place in f["stack"]))
        sys.stdout.flush()
    if tap:
        print("1..%d" % nr)
    return 1 if bad or not nr else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-K", dest="kernel", help="the kernel tree")
    parser.add_argument("--tap", action="store_true", help="results as TAP")
    parser.add_argument("--sweep", type=int, metavar="RUNS", help="under kmem sweep")
    parser.add_argument("variants", nargs="*", default=["debug"])
    options = parser.parse_args()
    kernel = tree(options.kernel)
    if not kernel:
        print("clients/run.py: %s is not there: apt-get install linux-source-6.1" % TARBALL, file=sys.stderr)
        return 3
    if options.sweep is not None:
        return sweep_main(options.variants, kernel, options.sweep, options.tap)
    bad = nr = 0
    if not options.tap:
        print("| client | variant | lines | pages allocated | direct reclaims | objects scanned | checks | seconds | |")
        print("|---|---|---|---|---|---|---|---|---|")
    for name, variant, lines, pressure, passed, seconds, good, text, status in work(options.variants, kernel):
        nr += 1
        bad += not good
        if options.tap:
            print("%sok %d - %s %s: %d checks" % ("" if good else "not ", nr, name, variant, passed))
        else:
            print("| %s | %s | %d | %s | %s | %s | %d | %.1f | %s |" % (
                name, variant, lines, *pressure, passed, seconds, "passed" if good else "FAILED"))
        if not good:
            print("\n".join("# " + line for line in ["status %d" % status] + text.splitlines()[-40:]))
        sys.stdout.flush()
    if options.tap:
        print("1..%d" % nr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
