#!/bin/sh
# SPDX-License-Identifier: MIT
# kmem run: what the program sees, whose exit status counts, and programs that cannot be run.
# shellcheck source=tests/tools/lib.sh
. "$(dirname "$0")/lib.sh"

CC=${CC:-cc}
if [ ! -f "$build/libkmem-malloc.so.0" ]; then
	echo "1..0 # SKIP there is no $build/libkmem-malloc.so.0"
	exit 0
fi

cat >"$tmp/prog.c" <<'END'
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *lose_some(size_t n)
{
	void *p = malloc(n);

	memset(p, 1, n);
	return p;
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	if (!strcmp(what, "lose"))
		return lose_some(1000) == NULL;
	if (!strcmp(what, "lose-and-fail"))
		return lose_some(1000) ? 7 : 0;
	if (!strcmp(what, "env"))
		return printf("%s|%s|%s\n", getenv("LD_PRELOAD"), getenv("KMEM_CMDLINE"),
			      getenv("KMEM_MALLOC")) < 0;
	if (!strcmp(what, "signal"))
		raise(SIGTERM);
	if (!strcmp(what, "wait"))
		pause();
	if (!strcmp(what, "quick"))
		_exit(0);
	if (!strcmp(what, "large"))
		return malloc(100 << 20) == NULL && errno == ENOMEM ? 42 : 0;
	free(malloc(100));
	return argc > 1 ? atoi(argv[1]) : 0;
}
END
$CC -O1 -g -rdynamic -fno-builtin "$tmp/prog.c" -o "$tmp/prog" || exit 1

k run "$tmp/prog"
status 0 "a program"
k run -- "$tmp/prog" 5
status 5 "its own exit status"
k run "$tmp/prog" --mem
status 0 "options behind the program are the program's"
k run --mem 64M --zones i386 --cmdline 'percpu_pages=0' --stat -- "$tmp/prog" env
status 0 "with options"
says out "libkmem-malloc.so.0" "LD_PRELOAD"
says out '|percpu_pages=0 mem=64M zones=i386|stat$' "KMEM_CMDLINE and KMEM_MALLOC"
LD_PRELOAD=/lib/none.so k run "$tmp/prog" env
says out 'libkmem-malloc.so.0:/lib/none.so|' "LD_PRELOAD keeps what was there"
k run --mem 32M "$tmp/prog" large
status 42 "a budget"
k run "$tmp/prog" large
status 0 "no budget"

k run "$tmp/prog" signal
status 143 "a signal"
k run --leaks "$tmp/prog" signal
status 143 "a signal, with --leaks"

k run --stat "$tmp/prog"
status 0 "--stat"
says err '^malloc  *[0-9]* allocations' "--stat: counts"
[ ! -s "$tmp/out" ]
ok $? "--stat: standard output is the program's"

k run --leaks "$tmp/prog"
status 0 "--leaks of a program without leaks"
k run --leaks "$tmp/prog" lose
status 1 "--leaks of a program with a leak"
says err '^1000 bytes in 1 blocks' "the leak"
says err '#0 lose_some+' "who lost it"
k run --leaks "$tmp/prog" lose-and-fail
status 7 "a program that fails keeps its status"
says err '^1000 bytes in 1 blocks' "and its leaks are shown"
k run --leaks "$tmp/prog" env
status 0 "the buffer of standard output is no leak"
k run --leaks "$tmp/prog" quick
status 3 "a program without a report"
says err 'left no report' "a program without a report: why"
k run --leaks --stat "$tmp/prog" lose
status 1 "--leaks and --stat"
says err '^malloc ' "both: the summary"
says err '^leaks ' "both: the leaks"

timeout -k 5 60 "$kmem" run --leaks "$tmp/prog" wait >"$tmp/out" 2>"$tmp/err" &
pid=$!
sleep 1
# The signal goes to the command alone (timeout's only child).
kill -TERM "$(ps -o pid= --ppid $pid | tr -d ' ')"
wait $pid
rc=$?
status 143 "a signal to the command reaches the program"

# What cannot be run.
k run "$tmp/missing"
status 3 "a program that is not there"
says err "$tmp/missing" "a program that is not there is named"
one_line "a program that is not there"
k run no-such-program-anywhere
status 3 "a program that is not in PATH"
says err 'no-such-program-anywhere: no such program' "a program that is not in PATH is named"
: >"$tmp/plain"
k run "$tmp/plain"
status 3 "a file that is not executable"
if [ "$(id -u)" -eq 0 ]; then
	cp "$tmp/prog" "$tmp/suid"
	chown 65534 "$tmp/suid"
	chmod u+s "$tmp/suid"
	k run "$tmp/suid"
	status 3 "a setuid program"
	says err 'setuid' "a setuid program: why"
else
	skip "a setuid program" "needs root"
fi
if $CC -static "$tmp/prog.c" -o "$tmp/static" 2>/dev/null; then
	k run "$tmp/static"
	status 3 "a static program"
	says err 'statically linked' "a static program: why"
	printf '#!%s\n' "$tmp/static" >"$tmp/script"
	chmod +x "$tmp/script"
	k run "$tmp/script"
	status 3 "a script of a static program"
else
	skip "a static program" "no static C library here"
fi
# An ELF header of a 32-bit program is enough to be refused, or to be run by a 32-bit library.
if [ "$(getconf LONG_BIT)" = 64 ] && [ ! -f "$build/../posix-i386/libkmem-malloc.so.0" ]; then
	printf '\177ELF\1\1\1\0\0\0\0\0\0\0\0\0\2\0\3\0\1\0\0\0\0\0\0\0\064\0\0\0\0\0\0\0\0\0\0\0\064\0\040\0\1\0\0\0\0\0\0\0\3\0\0\0' >"$tmp/prog32"
	head -c 100 /dev/zero >>"$tmp/prog32"
	chmod +x "$tmp/prog32"
	k run "$tmp/prog32"
	status 3 "a 32-bit program"
	says err '32-bit' "a 32-bit program: why"
fi
printf '#!/bin/sh\nexec %s 9\n' "$tmp/prog" >"$tmp/wrapper"
chmod +x "$tmp/wrapper"
k run "$tmp/wrapper"
status 9 "a script"
k run --mem lots "$tmp/prog"
status 2 "a size that is none"
says err 'lots' "a size that is none is named"
k run --zones 'dma:1G' --mem '1M' --cmdline 'frobnicate=1' "$tmp/prog"
status 2 "an option the machine does not know"
says err 'frobnicate' "the option is named"
k run
status 2 "no program"

# Where the library is missing.
cp "$kmem" "$tmp/kmem"
timeout 60 "$tmp/kmem" run "$tmp/prog" >"$tmp/out" 2>"$tmp/err"
rc=$?
if [ "$rc" -eq 0 ]; then
	skip "no library" "one is installed"
else
	status 3 "no library"
	says err "tried $tmp/libkmem-malloc.so.0" "no library: the paths that were tried"
	timeout 60 "$tmp/kmem" sim >"$tmp/out" 2>"$tmp/err"
	rc=$?
	status 3 "no simulator"
	says err "tried $tmp/kmem-sim" "no simulator: the paths that were tried"
fi

finish
