# SPDX-License-Identifier: MIT
"""TAP from Python: ok(), skip(), and done() at the end. What tests/tap.h is to C."""
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("KMEM_BUILD", os.path.join(ROOT, "build", "posix-" + os.uname().machine))
FILE = os.path.basename(sys.argv[0])
_counts = {"ran": 0, "failed": 0}


def ok(good, name, *details):
    """One test; the details are printed, one a line, when it failed."""
    _counts["ran"] += 1
    if not good:
        _counts["failed"] += 1
        for text in details:
            for line in str(text).splitlines():
                print("# " + line)
    print("%s %d - %s: %s" % ("ok" if good else "not ok", _counts["ran"], FILE, name), flush=True)
    return good


def none(found, name):
    """Passes if the list of findings is empty."""
    found = list(found)
    more = ["and %d more" % (len(found) - 40)] if len(found) > 40 else []
    return ok(not found, name, *(found[:40] + more))


def skip(name, reason):
    _counts["ran"] += 1
    print("ok %d - %s: %s # SKIP %s" % (_counts["ran"], FILE, name, reason), flush=True)


def run(argv, **kwargs):
    """The finished process, its two outputs in one text."""
    kwargs.setdefault("cwd", ROOT)
    kwargs.setdefault("timeout", 600)
    return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          stdin=subprocess.DEVNULL, errors="replace", check=False, **kwargs)


def done():
    print("1..%d" % _counts["ran"])
    sys.exit(1 if _counts["failed"] or not _counts["ran"] else 0)
