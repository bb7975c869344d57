# SPDX-License-Identifier: MIT
"""
Running the workloads: who takes part, whose turn it is, and what the numbers of all rounds come to.

A subject is an allocator as a program meets it: malloc of some library, or one of libkmem's own
interfaces. A series is what one subject measured for one case, a value a round.
"""
import glob
import json
import os
import platform
import statistics
import subprocess

import programs

HERE = os.path.dirname(os.path.abspath(__file__))
DEADLINE = 300  # seconds that one process may take

# The peers: name, package, where its library lies.
PEERS = [
    ("glibc", "libc6", None),
    ("jemalloc", "libjemalloc2", "libjemalloc.so.2"),
    ("mimalloc", "libmimalloc2.0", "libmimalloc.so.2*"),
    ("tcmalloc", "libtcmalloc-minimal4", "libtcmalloc_minimal.so.4"),
]
# Those of which there are archives: name, package.
ARCHIVES = [("glibc", "libc6-dev"), ("jemalloc", "libjemalloc-dev"), ("tcmalloc", "libgoogle-perftools-dev")]
FOLDERS = ["/usr/lib/%s-linux-gnu" % platform.machine(), "/usr/lib64", "/usr/lib", "/usr/local/lib"]

# In the order in which they are run and shown; what a subject does not serve, it does not run.
ORDER = ["pair", "linked", "bulk", "batch", "mixed", "handoff", "server", "churn", "scale", "grow",
         "zeroed", "construct", "fragment", "latency", "replay", "pages"]


class Usage(Exception):
    pass


class Environment(Exception):
    pass


class Subject:
    def __init__(self, name, api, preload=None, peer=False, own=False):
        self.name, self.api, self.preload = name, api, preload
        self.peer, self.own = peer, own

    def environ(self, lib):
        env = {k: v for k, v in os.environ.items()
               if not k.startswith("KMEM_") and k not in ("LD_PRELOAD", "LD_LIBRARY_PATH")}
        if self.preload:
            env["LD_PRELOAD"] = self.preload
        elif self.own:
            env["LD_LIBRARY_PATH"] = lib
        return env


class Series:
    def __init__(self, unit):
        self.unit, self.rounds = unit, []

    @property
    def median(self):
        return statistics.median(self.rounds)

    @property
    def quartiles(self):
        return quartiles(self.rounds)

    def ratios(self, other):
        """Those of the rounds: what slows a whole round down cancels out. Their median is the ratio."""
        return [a / b for a, b in zip(self.rounds, other.rounds) if b > 0]


def quartiles(values):
    if len(values) < 2:
        return values[0], values[0]
    q = statistics.quantiles(values, n=4, method="inclusive")
    return q[0], q[2]


def library(pattern):
    for folder in FOLDERS:
        found = sorted(glob.glob(os.path.join(folder, pattern)))
        if found:
            return found[0]
    return None


def peers(o, missing):
    """The peers to compare with, those asked for or all that are installed."""
    asked = o.peers.split(",") if o.peers is not None else None
    for name in asked or []:
        if name not in [p[0] for p in PEERS]:
            raise Usage("there is no peer '%s'; there are %s (or --peer NAME=LIBRARY)"
                        % (name, ", ".join(p[0] for p in PEERS)))
    found = []
    for name, package, pattern in PEERS:
        path = library(pattern) if pattern else None
        if asked is not None and name not in asked:
            continue
        if pattern and not path:
            if asked is not None:
                raise Environment("peer %s: %s is not installed (package %s)"
                                  % (name, pattern.rstrip("*"), package))
            missing.append("MISSING %s: not compared with %s" % (package, name))
            continue
        found.append(Subject(name, "malloc", path, peer=True))
    for word in o.peer:
        name, _, path = word.partition("=")
        if not name or not path or name in [s.name for s in found]:
            raise Usage("--peer %s: NAME=LIBRARY with a name that is not taken" % word)
        if not os.path.isfile(path):
            raise Environment("peer %s: there is no file %s" % (name, path))
        found.append(Subject(name, "malloc", os.path.abspath(path), peer=True))
    if not found:
        raise Usage("no peer at all")
    return found


def machine():
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as f:
            model = next((line.split(":", 1)[1].strip() for line in f
                          if line.startswith("model name")), model)
    except OSError:
        pass
    return {"cpu": model, "cpus": os.cpu_count(), "kernel": platform.release(),
            "libc": " ".join(platform.libc_ver()), "load": os.getloadavg()[0]}


class Suite:
    def __init__(self, o, tmp):
        self.o, self.tmp = o, tmp
        self.missing, self.failures, self.own_failures = [], [], 0
        self.lib = os.path.abspath(o.lib)
        self.machine = machine()
        preload = os.path.join(self.lib, "libkmem-malloc.so.0")
        if not os.path.isfile(preload):
            raise Environment("there is no %s" % preload)
        self.subjects = [Subject("kmem cache", "cache", own=True),
                         Subject("kmem kmalloc", "kmalloc", own=True),
                         Subject("kmem malloc", "malloc", preload, own=True)]
        self.subjects += peers(o, self.missing)
        self.subjects += self.linked(o)
        self.subjects += [Subject("kmem pages", "pages", own=True),
                          Subject("textbook buddy", "buddy"),
                          Subject("bare stack", "stack", own=True)]
        if os.path.isfile(self.path("dpdk")):
            self.subjects.append(Subject("DPDK mempool", "dpdk"))
        else:
            self.missing.append("MISSING libdpdk-dev: not compared with DPDK's mempool (it is built where that is)")
        self.serves = {api: self.ask(api) for api in {s.api for s in self.subjects}}
        for subject in self.subjects:
            if subject.api == "malloc":
                self.check_malloc(subject)
        self.programs = programs.programs(self)
        self.traces = None  # name and file of steps of each recording, once they are needed
        self.series = {}  # workload: {case: {subject: Series}}

    def linked(self, o):
        """The workload of that name: the same names, linked with their archives."""
        asked = o.peers.split(",") if o.peers is not None else None
        found = [Subject("kmem cache", "linked-cache", own=True),
                 Subject("kmem kmalloc", "linked-kmalloc", own=True),
                 Subject("kmem malloc", "linked-malloc", own=True)]
        for name, package in ARCHIVES:
            if asked is not None and name not in asked:
                continue
            if os.path.isfile(self.path("linked-" + name)):
                found.append(Subject(name, "linked-" + name, peer=True))
            else:
                self.missing.append("MISSING %s: not compared with %s linked from its archive (it is built "
                                    "where that is)" % (package, name))
        return found

    # ---- Which workloads? ------------------------------------------------------------------------

    @staticmethod
    def path(api):
        return os.path.join(HERE, "bench-" + api)

    def ask(self, api):
        if not os.path.isfile(self.path(api)):
            raise Environment("there is no %s (make bench builds it)" % self.path(api))
        return self.output(Subject("", api, own=True), "--list").split()

    def output(self, subject, option):
        path = self.path(subject.api)
        try:
            return subprocess.run([path, option], capture_output=True, text=True, check=True,
                                  timeout=60, env=subject.environ(self.lib)).stdout
        except (OSError, subprocess.SubprocessError) as e:
            raise Environment("%s, %s: %s" % (path, subject.name, e)) from e

    def check_malloc(self, subject):
        """The loader goes on without a library that it cannot preload; a benchmark must not."""
        found = self.output(subject, "--malloc").strip()
        wanted = subject.preload or "libc.so.6"
        if os.path.basename(os.path.realpath(found)) != os.path.basename(os.path.realpath(wanted)) \
                and os.path.basename(found) != wanted:
            raise Environment("%s: malloc is not of %s but of %s" % (subject.name, wanted, found))

    def names(self):
        served = {name for names in self.serves.values() for name in names}
        return [n for n in ORDER if n in served] + sorted(self.programs)

    def choose(self, asked):
        for name in asked:
            if name not in self.names():
                raise Usage("there is no workload '%s'; there are %s"
                            % (name, ", ".join(self.names())))
        chosen = [n for n in self.names() if not asked or n in asked]
        if "replay" in chosen:
            self.read_traces()
            if not self.traces:
                chosen.remove("replay")
        return chosen

    def read_traces(self):
        """Recordings become files of steps; those that nobody asked for by name may be missing."""
        places = [os.environ.get("KMEM_TRACES", ""), os.path.join(HERE, "../../../examples/traces")]
        found = self.o.trace or next(filter(None, (
            sorted(glob.glob(os.path.join(p, "*.dat"))) for p in places if p)), [])
        self.traces = []
        for path in found:
            steps = os.path.join(self.tmp, "steps%d" % len(self.traces))
            done = subprocess.run([self.path("ops"), path, steps], capture_output=True, text=True,
                                  check=False, timeout=DEADLINE)
            if done.returncode == 0:
                self.traces.append((os.path.basename(path).split(".")[0], steps))
            elif self.o.trace:
                raise Environment(done.stderr.strip() or "%s cannot be read" % path)
            else:
                self.missing.append("MISSING %s: it is not replayed: %s" % (
                    os.path.basename(path), done.stderr.strip()))
        if not found:
            self.missing.append("MISSING recordings (--trace FILE): none is replayed")

    # ---- Running ---------------------------------------------------------------------------------

    def taking_part(self, workload):
        if workload in self.programs:
            return [s for s in self.subjects if s.api == "malloc"]
        return [s for s in self.subjects if workload in self.serves[s.api]]

    def run(self, workload):
        """Each round begins with another subject, so that none always follows the same one."""
        subjects = self.taking_part(workload)
        for nr in range(self.o.rounds):
            first = nr % len(subjects)
            for subject in subjects[first:] + subjects[:first]:
                for line in self.turn(workload, subject, nr):
                    self.add(workload, subject, line)

    def turn(self, workload, subject, nr):
        if workload in self.programs:
            return self.programs[workload](subject)
        if workload != "replay":
            return self.round(workload, subject, nr)
        return [dict(line, case=name) for name, steps in self.traces
                for line in self.round(workload, subject, nr, steps)]

    def add(self, workload, subject, line):
        case = self.series.setdefault(workload, {}).setdefault(line["case"], {})
        case.setdefault(subject.name, Series(line["unit"])).rounds.append(line["value"])

    def round(self, workload, subject, nr, *operands):
        argv = [self.path(subject.api), "--ms", str(self.o.ms), "--threads", str(self.o.threads),
                "--seed", str(nr + 1), workload, *operands]
        try:
            done = subprocess.run(argv, capture_output=True, text=True, timeout=DEADLINE,
                                  check=False, env=subject.environ(self.lib))
        except subprocess.TimeoutExpired:
            return self.failed(workload, subject, "not over after %d seconds" % DEADLINE)
        except OSError as e:
            return self.failed(workload, subject, str(e))
        if done.returncode != 0:
            last = done.stderr.strip().splitlines()
            return self.failed(workload, subject, "status %d%s" % (
                done.returncode, ": " + last[-1] if last else ""))
        return [json.loads(line) for line in done.stdout.splitlines()]

    def failed(self, workload, subject, why):
        line = "FAILED %s with %s: %s" % (workload, subject.name, why)
        if line not in self.failures:
            self.failures.append(line)
        self.own_failures += subject.own
        return []

    # ---- What came of it -------------------------------------------------------------------------

    def peer_names(self):
        return list(dict.fromkeys(s.name for s in self.subjects if s.peer))

    def best_peer(self, workload, case):
        """The peer with the least median; None if no peer ran it."""
        found = self.series.get(workload, {}).get(case, {})
        there = [n for n in self.peer_names() if n in found]
        return min(there, key=lambda n: found[n].median, default=None)

    def reference(self, workload, case):
        """What the case is compared with: the best peer, or the textbook's buddy."""
        if "textbook buddy" in self.series.get(workload, {}).get(case, {}):
            return "textbook buddy"
        return self.best_peer(workload, case)

    def ratios(self, workload, case, subject, to):
        found = self.series.get(workload, {}).get(case, {})
        return found[subject].ratios(found[to]) if subject in found and to in found else []

    def ratio(self, workload, case, subject, to):
        found = self.ratios(workload, case, subject, to)
        return statistics.median(found) if found else None

    def result(self):
        rows = []
        for workload, cases in self.series.items():
            for case, found in cases.items():
                best = self.reference(workload, case)
                for name, s in found.items():
                    q1, q3 = s.quartiles
                    rows.append({
                        "workload": workload, "case": case, "subject": name, "unit": s.unit,
                        "median": s.median, "q1": q1, "q3": q3, "rounds": s.rounds,
                        "best": best,
                        "ratio_best": self.ratio(workload, case, name, best),
                        "ratio": {p: self.ratio(workload, case, name, p)
                                  for p in self.peer_names() if p in found}})
        o = self.o
        return {"format": 1, "machine": self.machine, "missing": self.missing,
                "failures": self.failures, "peers": self.peer_names(),
                "options": {"rounds": o.rounds, "ms": o.ms, "threads": o.threads, "quick": o.quick},
                "subjects": list(dict.fromkeys(s.name for s in self.subjects)), "results": rows}
