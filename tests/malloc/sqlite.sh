#!/bin/sh
# SPDX-License-Identifier: MIT
# sqlite3 over libkmem: 200,000 rows, indexes, joins, in memory and in a file.
. "$(dirname "$0")/lib.sh"
need sqlite3

cat >"$tmp/t.sql" <<'S'
CREATE TABLE t(id INTEGER PRIMARY KEY, k INTEGER, s TEXT);
BEGIN;
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)
INSERT INTO t SELECT i, i * 7919 % 10007, printf('row %d %.*c', i, i % 50, 'x') FROM n;
COMMIT;
CREATE INDEX tk ON t(k, s);
SELECT count(*), sum(k), sum(length(s)) FROM t;
SELECT a.k, count(*) FROM t a JOIN t b ON a.k = b.k WHERE a.id < 300 GROUP BY a.k ORDER BY 2, 1 LIMIT 20;
SELECT group_concat(s) FROM (SELECT s FROM t WHERE id % 5000 = 0 ORDER BY s DESC);
UPDATE t SET s = s || '!' WHERE k % 3 = 0;
DELETE FROM t WHERE k % 7 = 0;
SELECT count(*), min(s), max(s) FROM t;
PRAGMA integrity_check;
S
both "in memory" 120 sqlite3 :memory: ".read $tmp/t.sql"
sys 120 sqlite3 "$tmp/sys.db" ".read $tmp/t.sql" >"$tmp/a"
pre 120 sqlite3 "$tmp/pre.db" ".read $tmp/t.sql" >"$tmp/b" 2>&1
ok $? "in a file"
same "$tmp/a" "$tmp/b" "in a file: same output"
sys 60 sqlite3 "$tmp/sys.db" .dump >"$tmp/a"
sys 60 sqlite3 "$tmp/pre.db" .dump >"$tmp/b"
same "$tmp/a" "$tmp/b" "in a file: same contents"
done_testing
