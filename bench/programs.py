# SPDX-License-Identifier: MIT
"""
Real programs, each under every malloc: wall time, CPU time and peak memory. The work is made up here
and is the same for all; what a program prints has to be the same as well.
"""
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time

DEADLINE = 300
INTERPRETER = sys.executable  # what PATH calls python3 may be a script that looks for it

PYTHON = """
import sys
n = int(sys.argv[1])
words = ["%x" % (i * 2654435761 % 2**32) for i in range(n)]
count = {}
for word in words:
    for at in range(len(word) - 1):
        pair = word[at:at + 2]
        count.setdefault(pair, []).append(word)
text = "\\n".join("%s %d" % (k, len(v)) for k, v in sorted(count.items()))
rows = [{"id": i, "name": w, "tags": [w[:2], w[2:4]]} for i, w in enumerate(words)]
rows.sort(key=lambda r: r["name"])
tree = None
for r in rows[::7]:
    tree = (r["name"], tree, str(r))
print(len(text), hash(len(rows)), sum(len(r["tags"]) for r in rows))
"""

SQL = """
pragma cache_size = -65536;
create table item (id integer primary key, name text, value real, note text);
insert into item
  with recursive n(i) as (select 1 union all select i + 1 from n where i < %(n)d)
  select i, printf('name %%08d', i * 7919 %% 1000003), i * 0.5, printf('%%.*c', i %% 200, 'x') from n;
create index item_name on item (name);
create table total as select substr(name, 6, 3) as part, count(*) as n, group_concat(id) as ids
  from item group by part;
update item set note = note || name where id %% 3 = 0;
delete from item where id %% 5 = 0;
select count(*), sum(length(note)) from item;
select count(*), sum(length(ids)), max(n) from total;
select sum(length(a.note) + length(b.note)) from item a join item b on a.name = b.name;
"""


def c_source(functions):
    lines = ["struct node { struct node *next; long key, value[4]; };"]
    for i in range(functions):
        lines.append("""
long work_%(i)d(struct node *n, long a, long b)
{
	long sum = %(i)d, part[8] = {a, b, a + b, a - b};
	for (; n; n = n->next) {
		switch (n->key %% 7) {
		case 0: sum += n->value[0] * a; break;
		case 1: sum ^= n->value[1] << (b & 7); break;
		case 2: sum -= part[n->key & 7] / (b | 1); break;
		case 3: for (int i = 0; i < 8; i++) part[i] += sum * i; break;
		case 4: if (n->next && n->next->key < sum) sum += work_%(j)d(n->next, b, a); break;
		default: sum = sum * 31 + n->value[n->key & 3];
		}
		part[sum & 7] += n->key + %(i)d;
	}
	return sum + part[0] + part[3];
}""" % {"i": i, "j": max(i - 1, 0)})
    return "\n".join(lines) + "\n"


class Programs:
    def __init__(self, suite, helper):
        self.suite, self.helper = suite, helper
        self.scale = suite.o.ms / 40
        self.printed = {}  # program: what it printed first

    def amount(self, full, least):
        return max(least, int(full * self.scale))

    def helper_argv(self, subject, result, argv):
        preload = ["--preload", subject.preload] if subject.preload else []
        return [self.helper] + preload + [result] + argv

    def environ(self, subject, **more):
        env = subject.environ(self.suite.lib)
        env.pop("LD_PRELOAD", None)
        env.update(more, LC_ALL="C")
        return env

    def lines(self, took, wall=None):
        return [{"case": "wall", "unit": "s", "value": took["wall"] if wall is None else wall},
                {"case": "CPU", "unit": "s", "value": took["cpu"]},
                {"case": "peak RSS", "unit": "MB", "value": took["rss"] / 1e6}]

    def simple(self, name, subject, argv, text, **more):
        """A program that reads its work, prints its result and ends."""
        with tempfile.TemporaryDirectory() as tmp:
            result = os.path.join(tmp, "result")
            try:
                done = subprocess.run(self.helper_argv(subject, result, argv), input=text, text=True,
                                      capture_output=True, timeout=DEADLINE, check=False, cwd=tmp,
                                      env=self.environ(subject, **more))
            except subprocess.TimeoutExpired:
                return self.suite.failed(name, subject, "not over after %d seconds" % DEADLINE)
            took = self.took(result)
        if took is None or took["status"] != 0:
            return self.suite.failed(name, subject, "%s: %s" % (
                "status %#x" % took["status"] if took else "no result", done.stderr.strip()[-200:]))
        if done.stdout != self.printed.setdefault(name, done.stdout):
            return self.suite.failed(name, subject, "it printed something else")
        return self.lines(took)

    @staticmethod
    def took(path):
        try:
            with open(path, encoding="ascii") as f:
                return json.load(f)
        except (OSError, ValueError):
            return None

    # ---- The programs ----------------------------------------------------------------------------

    def gcc(self, subject):
        return self.simple("gcc", subject, ["gcc", "-O2", "-S", "-x", "c", "-", "-o", "-"],
                           c_source(self.amount(120, 4)))

    def sqlite3(self, subject):
        return self.simple("sqlite3", subject, ["sqlite3", "-batch", ":memory:"],
                           SQL % {"n": self.amount(300000, 500)})

    def python3(self, subject):
        """Without its own pools, so that every object is the malloc's."""
        return self.simple("python3", subject, [INTERPRETER, "-S", "-c", PYTHON,
                                                str(self.amount(200000, 500))], "",
                           PYTHONMALLOC="malloc", PYTHONHASHSEED="0")

    def redis(self, subject):
        """The server is measured; the client is always on the system's malloc."""
        with tempfile.TemporaryDirectory() as tmp:
            result = os.path.join(tmp, "result")
            with socket.socket() as s:
                s.bind(("127.0.0.1", 0))
                port = str(s.getsockname()[1])
            argv = ["redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "",
                    "--appendonly", "no", "--dir", tmp]
            with open(os.path.join(tmp, "log"), "w", encoding="utf-8") as log, \
                    subprocess.Popen(self.helper_argv(subject, result, argv), stdout=log, cwd=tmp,
                                     stderr=log, env=self.environ(subject)) as server:
                try:
                    wall = self.redis_load(port, server)
                except (OSError, subprocess.SubprocessError) as e:
                    server.kill()
                    return self.suite.failed("redis", subject, str(e))
            took = self.took(result)
        if took is None or took["status"] != 0:
            return self.suite.failed("redis", subject, "the server did not end well")
        return self.lines(took, wall)

    def redis_cli(self, port, *words):
        return subprocess.run(["redis-cli", "-p", port, *words], capture_output=True, text=True,
                              timeout=60, check=False).stdout.strip()

    def redis_load(self, port, server):
        end = time.monotonic() + 60
        while self.redis_cli(port, "ping") != "PONG":
            if server.poll() is not None or time.monotonic() > end:
                raise OSError("the server does not answer")
            time.sleep(0.02)
        begin = time.monotonic()
        subprocess.run(["redis-benchmark", "-p", port, "-q", "-n", str(self.amount(125000, 500)),
                        "-r", str(self.amount(100000, 500)), "-d", "200", "-P", "16",
                        "-t", "set,get,incr,lpush,lpop,sadd,hset,zadd"],
                       stdout=subprocess.DEVNULL, timeout=DEADLINE, check=True)
        wall = time.monotonic() - begin
        self.redis_cli(port, "shutdown", "nosave")
        server.wait(timeout=60)
        return wall


def programs(suite):
    """Name and function of each program that is installed."""
    p = Programs(suite, suite.path("run"))
    found = {}
    for name, needs, package, function in (
            ("gcc", ["gcc"], "gcc", p.gcc),
            ("python3", [INTERPRETER], "python3", p.python3),
            ("redis", ["redis-server", "redis-benchmark", "redis-cli"], "redis", p.redis),
            ("sqlite3", ["sqlite3"], "sqlite3", p.sqlite3)):
        if all(shutil.which(n) for n in needs):
            found[name] = function
        else:
            suite.missing.append("MISSING %s: %s is not measured" % (package, name))
    return found
