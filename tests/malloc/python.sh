#!/bin/sh
# SPDX-License-Identifier: MIT
# python3's own tests over libkmem, with every object allocated by malloc. Debian keeps the tests in
# the package libpython3.11-testsuite.
. "$(dirname "$0")/lib.sh"
need python3

python3 -c 'import test.test_json' 2>/dev/null || skip_all "python3 here has no test package"
python=$(python3 -c 'import sys; print(sys.executable)')
cd "$tmp" || exit 1
# The test as it stands may fail in some installation of python: then it must fail in the same way.
verdict() { # runner test file
	"$1" 240 PYTHONMALLOC=malloc "$python" -m unittest "test.$2" >"$tmp/log" 2>&1
	_status=$?
	grep -E '^(FAIL|ERROR|Ran)' "$tmp/log" | sed 's/ in [0-9.]*s$//' >"$3"
	return $_status
}
for t in test_dict test_list test_json test_re test_threading; do
	if verdict pre $t "$tmp/a"; then
		ok 0 "$t"
	else
		cp "$tmp/log" "$tmp/pre.log"
		verdict sys $t "$tmp/b"
		same "$tmp/a" "$tmp/b" "$t: the same verdicts as over the system's malloc"
		show "$tmp/a"
	fi
done
cat >"$tmp/t.py" <<'P'
import json, threading
rows = [{"id": i, "name": "n" * (i % 100), "l": list(range(i % 30))} for i in range(20000)]
text = json.dumps(rows)
out = [0] * 4
def work(i):
    out[i] = sum(len(r["name"]) for r in json.loads(text))
ts = [threading.Thread(target=work, args=(i,)) for i in range(4)]
[t.start() for t in ts]
[t.join() for t in ts]
print(len(text), out)
P
both "threads parse json" 90 PYTHONMALLOC=malloc "$python" "$tmp/t.py"
done_testing
