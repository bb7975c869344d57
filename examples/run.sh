#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# The demonstration, `make run`: unmodified programs on libkmem's malloc, each compared with the
# same program on the system's, a real kernel's recorded allocations replayed, and a program written
# for the library. Exit status 0 only if every output was the same, and every byte right.
#
#	examples/run.sh BUILD-FOLDER
set -u
cd "$(dirname "$0")/.." || exit 3
build=${1:-build/posix-$(uname -m)}
kmem=$build/kmem
unset KMEM_CMDLINE KMEM_MALLOC KMEM_MALLOC_OUT LD_PRELOAD
export LC_ALL=C
wrong=0
tmp=$(mktemp -d) || exit 3
trap 'rm -rf "$tmp"' EXIT

title() { printf '\n\033[1m%s\033[0m\n' "$*"; }
[ -t 1 ] || title() { printf '\n%s\n' "$*"; }

# timed NAME COMMAND...: runs it and leaves the seconds in the variable NAME.
timed() {
	local name=$1 begin status took
	shift
	begin=$(date +%s%N)
	timeout -k 5 120 "$@"
	status=$?
	took=$((($(date +%s%N) - begin) / 10000000))
	printf -v "$name" '%d.%02d' $((took / 100)) $((took % 100))
	return $status
}

# verdict NAME SAME? : one line for each program.
verdict() {
	local word='the same output'
	if [ "$2" -ne 0 ]; then
		word='DIFFERENT OUTPUT'
		wrong=1
	fi
	# shellcheck disable=SC2154 # set by timed
	printf '  %-34s %s   %6s s on the system malloc, %6s s on libkmem\n' \
		"$1" "$word" "$system_s" "$libkmem_s"
}

# both NAME COMMAND...: the command's output on one malloc and on the other.
both() {
	local name=$1 first second
	shift
	timed system_s "$@" >"$tmp/system.out" 2>"$tmp/system.err"
	first=$?
	timed libkmem_s "$kmem" run -- "$@" >"$tmp/libkmem.out" 2>"$tmp/libkmem.err"
	second=$?
	[ $first -eq 0 ] && [ $second -eq 0 ] && [ -s "$tmp/system.out" ] &&
		cmp -s "$tmp/system.out" "$tmp/libkmem.out"
	verdict "$name" $?
	[ $second -eq 0 ] || head -n 5 "$tmp/libkmem.err" | sed 's/^/    /'
}

# ---- 1. A compiler ------------------------------------------------------------------------------

compile() { # compile FOLDER [PREFIX...]: our own sources into it, two at a time
	local folder=$1
	shift
	mkdir -p "$folder"
	printf '%s\n' src/[gps]*/*.c | xargs -P 2 -I{} sh -c '
		file=$1 folder=$2
		shift 2
		exec "$@" gcc -std=gnu11 -O1 -fPIC -Iinclude -Isrc -Iports/posix -Imk/config/release \
			-c "$file" -o "$folder/$(echo "$file" | tr / _).o"' sh {} "$folder" "$@"
}
export -f compile

title "1. gcc compiles $(printf '%s\n' src/[gps]*/*.c | wc -l) files of libkmem"
timed system_s bash -c 'compile "$@"' bash "$tmp/objects" 2>"$tmp/err"
compiled=$?
mv "$tmp/objects" "$tmp/objects.system"
timed libkmem_s bash -c 'compile "$@"' bash "$tmp/objects" "$kmem" run -- 2>>"$tmp/err"
[ $? -eq 0 ] && [ $compiled -eq 0 ] && diff -rq "$tmp/objects.system" "$tmp/objects" >>"$tmp/err"
same=$?
verdict 'gcc, object files' $same
[ $same -eq 0 ] || head -n 5 "$tmp/err" | sed 's/^/    /'

# ---- 2. A database and an interpreter -----------------------------------------------------------

title '2. sqlite3 and python3 at work'
cat >"$tmp/table.sql" <<'SQL'
create table person (id integer primary key, name text, town text, born integer);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 200000)
insert into person select i, 'name-' || (i * 7919 % 200003), 'town-' || (i * 31 % 997),
	1900 + i * 13 % 120 from n;
create index by_name on person (name);
create index by_town on person (town, born);
select count(*), min(name), max(name) from person;
select town, count(*), avg(born) from person group by town order by 2 desc, 1 limit 20;
select a.name, b.name from person a join person b on a.town = b.town and a.born = b.born
	where a.id < 2000 and b.id > a.id order by 1, 2 limit 20;
delete from person where id % 3 = 0;
select count(*), sum(born) from person where name > 'name-5';
SQL
both 'sqlite3, 200,000 indexed rows' sqlite3 -init /dev/null :memory: ".read $tmp/table.sql"
cat >"$tmp/words.py" <<'PY'
import collections, hashlib, json, pathlib, re
texts = [p.read_text() for p in sorted(pathlib.Path("src").glob("*/*.[ch]"))]
words = collections.Counter(w for t in texts for w in re.findall(r"\w+", t))
table = {"%s-%d" % (w, i): [n * i, w.upper()] for w, n in words.items() for i in range(60)}
again = json.loads(json.dumps(table, sort_keys=True))
assert again == table
print(len(table), words.most_common(10))
print(hashlib.sha256(json.dumps(sorted(table.items())).encode()).hexdigest())
PY
both 'python3, words of our sources' python3 -I -S "$tmp/words.py"
"$kmem" run --mem 512M --zones x86_64 --stat -- sqlite3 -init /dev/null :memory: \
	".read $tmp/table.sql" >"$tmp/out" 2>"$tmp/stat" || wrong=1

# ---- 3. A real kernel's day ---------------------------------------------------------------------

title '3. 78,131 recorded requests of a Linux 6.18 kernel, made of libkmem'
timed replay_s "$kmem" replay examples/traces/gcc.dat >"$tmp/replay" 2>&1 || wrong=1
sed 's/^/  /' "$tmp/replay"

# ---- 4. A program that lives on short memory ----------------------------------------------------

title '4. A block cache with a budget: a file sixteen times larger than its memory, for ten seconds'
timeout -k 5 120 "$build/blockcache" --file "$tmp/blocks" --size 256M --mem 16M --seconds 10 \
	>"$tmp/blockcache" 2>&1 || wrong=1
sed 's/^/  /' "$tmp/blockcache"

title 'The machine under sqlite3, when it was done (512 MiB)'
sed 's/^/  /' "$tmp/stat"

echo
if [ $wrong -eq 0 ]; then
	echo 'Everything came out the same. Try it on a program of your own:'
	printf '\n    %s run --mem 1G --stat -- your-program\n' "$kmem"
else
	echo 'SOMETHING CAME OUT DIFFERENT: see above.'
fi
exit $wrong
