#!/bin/sh
# SPDX-License-Identifier: MIT
# The benchmark in its smallest form: every workload runs and tells what it should, nothing is compared
# with a clock, and what cannot be done is said.
# shellcheck source=tests/tools/lib.sh
. "$(dirname "$0")/../tools/lib.sh"

if [ ! -f "$build/bench/kmem-bench.py" ]; then
	echo "Bail out! there is no benchmark in $build"
	exit 1
fi

k bench --ms 1 --rounds 1 --threads 2 --peers glibc --out "$tmp/made/here"
status 0 "every workload"
says out '^written: .*report.html' "the files are named"
! grep -q '^FAILED' "$tmp/out"
ok $? "none failed"
"$kmem" bench --list >"$tmp/list"
cat >"$tmp/look.py" <<'END'
import json
import re
import sys

with open(sys.argv[1] + "/results.json", encoding="utf-8") as f:
    result = json.load(f)
names = open(sys.argv[2], encoding="utf-8").read().split()
rows = result["results"]
missing = " ".join(result["missing"])
ran = {r["workload"] for r in rows}
faults = ["%s was not run" % n for n in names if n not in ran and n not in missing
          and not (n == "replay" and "replayed" in missing)]
for key in ("format", "machine", "missing", "failures", "peers", "options", "subjects", "goals"):
    if key not in result:
        faults.append("no %s" % key)
for r in rows:
    where = "%s %s %s" % (r["workload"], r["case"], r["subject"])
    if len(r["rounds"]) != 1 or not all(v > 0 for v in r["rounds"]):
        faults.append("%s: rounds %s" % (where, r["rounds"]))
    if not r["q1"] <= r["median"] <= r["q3"] or not r["unit"]:
        faults.append("%s: median %s of %s to %s" % (where, r["median"], r["q1"], r["q3"]))
    if r["workload"] not in ("pages",) and not r["ratio"].get("glibc"):
        faults.append("%s: no ratio to glibc" % where)
def served(workload, *subjects):
    have = {r["subject"] for r in rows if r["workload"] == workload}
    faults.extend("%s was not run on %s" % (workload, s) for s in subjects if s not in have)
every = ("kmem kmalloc", "kmem malloc", "glibc")
served("pair", "kmem cache", "bare stack", *every)
served("linked", "kmem cache", "kmem kmalloc", "glibc", "bare stack")
served("construct", "kmem cache", *every)
served("mixed", *every)
served("pages", "kmem pages", "textbook buddy")
served("gcc", "kmem malloc", "glibc")
cases = {r["case"] for r in rows if r["workload"] == "batch"}
faults += ["batch: no case %d %s" % (n, how) for n in (10, 100000) for how in ("fifo", "random")
           if "%d %s" % (n, how) not in cases]
for g in result["goals"]:
    if (g["measured"] is None) != (g["verdict"] == "not measured"):
        faults.append("goal %s: %s" % (g["goal"], g["verdict"]))
    if (g["verdict"] == "reached") != (g["measured"] is not None and g["measured"] <= g["limit"]):
        faults.append("goal %s: %s of %s" % (g["goal"], g["verdict"], g["measured"]))
    if g["measured"] is None and not any(n in missing for n in ("redis", "sqlite3")):
        faults.append("goal %s: not measured" % g["goal"])
with open(sys.argv[1] + "/report.html", encoding="utf-8") as f:
    page = f.read()
for pattern in (r"https?:", r"\bsrc\s*=", r"\bhref\s*=", r"url\(", r"@import", r"<(link|script|iframe)"):
    if re.search(pattern, page):
        faults.append("the page has %s" % pattern)
faults += ["the page has no %s" % n for n in ran if "<h2>%s</h2>" % n not in page]
if page.count("<svg") != len(ran) or "prefers-color-scheme: dark" not in page:
    faults.append("the page lacks charts, or the dark")
print("\n".join(faults))
sys.exit(1 if faults else 0)
END
python3 "$tmp/look.py" "$tmp/made/here" "$tmp/list" >"$tmp/out" 2>"$tmp/err"
ok $? "JSON, goals and page have all they should"

k bench --peers glibc --ms 1 --rounds 2 pair bulk
status 0 "two workloads"
! grep -q '^mixed' "$tmp/out" && grep -q '^pair' "$tmp/out" && grep -q '^bulk' "$tmp/out"
ok $? "and no other"
says out '^malloc + free' "the goals they are for"
! grep -q 'not measured' "$tmp/out"
ok $? "and no others"

wrong() { # wrong STATUS PATTERN ARGS...: refused at once, and the message says what is wrong
	want=$1
	pattern=$2
	shift 2
	k bench "$@"
	status "$want" "bench $*"
	says err "^kmem bench: .*$pattern" "bench $*: the message"
	[ ! -s "$tmp/out" ]
	ok $? "bench $*: nothing else"
}
wrong 2 frobnicate frobnicate
wrong 2 'rounds.*0' --rounds 0
wrong 2 'rounds.*many' --rounds many
wrong 2 'ms.*-1' --ms=-1
wrong 2 'threads.*1000' --threads 1000
wrong 2 snmalloc --peers snmalloc
wrong 2 "''" --peers ''
wrong 2 'NAME=LIBRARY' --peer nameless
wrong 3 '/none/lib.so' --peer other=/none/lib.so
echo 'no library' >"$tmp/lib.so"
wrong 3 'malloc is not of' --peer other="$tmp/lib.so" --peers glibc
wrong 3 "$tmp/lib.so" --out "$tmp/lib.so" pair
wrong 3 none.dat --trace /none.dat replay

# A peer that is not there, when it was asked for and when it was not.
cat >"$tmp/absent.py" <<'END'
import sys
import types
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
import measure
measure.FOLDERS = []
missing = []
found = measure.peers(types.SimpleNamespace(peers=None, peer=[]), missing)
assert [s.name for s in found] == ["glibc"], found
assert missing[0] == "MISSING libjemalloc2: not compared with jemalloc", missing
try:
    measure.peers(types.SimpleNamespace(peers="jemalloc", peer=[]), missing)
except measure.Environment as e:
    sys.exit("libjemalloc2" not in str(e))
sys.exit(1)
END
python3 "$tmp/absent.py" "$build/bench" >"$tmp/out" 2>"$tmp/err"
ok $? "a peer that is not installed"

# A peer that fails is told, and is no failure of the library's.
echo '#include <stddef.h>
void *malloc(size_t n) { (void)n; return NULL; }' |
	${CC:-cc} -shared -fPIC -fno-builtin -x c - -o "$tmp/libnone.so"
k bench --ms 1 --rounds 1 --peers glibc --peer none="$tmp/libnone.so" bulk
status 0 "a malloc that fails"
says out '^FAILED bulk with none' "a malloc that fails is named"

if [ -w /dev/full ]; then
	"$kmem" bench --peers glibc --ms 1 --rounds 1 bulk >/dev/full 2>"$tmp/err"
	rc=$?
	: >"$tmp/out"
	status 3 "a full disk"
	says err 'No space left' "a full disk is named"
else
	skip "a full disk" "no /dev/full here"
fi

finish
