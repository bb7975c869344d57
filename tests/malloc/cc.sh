#!/bin/sh
# SPDX-License-Identifier: MIT
# The compiler over libkmem makes the same objects, and fails in the same way.
. "$(dirname "$0")/lib.sh"
need gcc

compile() { # runner output
	"$1" 120 gcc -O2 -g -I"$top/include" -I"$top/src" -I"$top/mk/config/release" -I"$top" -I"$top/ports/posix" -c "$2" -o "$3"
}
for f in "$top/malloc/track.c" "$top/malloc/malloc.c" "$top/tools/common/summary.c"; do
	name=$(basename "$f" .c)
	compile sys "$f" "$tmp/$name.sys.o"
	compile pre "$f" "$tmp/$name.pre.o" >"$tmp/out" 2>&1
	ok $? "gcc compiles $name.c"
	show "$tmp/out"
	same "$tmp/$name.sys.o" "$tmp/$name.pre.o" "the same object of $name.c"
done
if command -v g++ >/dev/null; then
	sys 120 g++ -O1 -g -pthread "$here/threads.cc" -o "$tmp/threads.sys"
	pre 120 g++ -O1 -g -pthread "$here/threads.cc" -o "$tmp/threads.pre"
	ok $? "g++ compiles and links a program with templates"
	same "$tmp/threads.sys" "$tmp/threads.pre" "the same program"
fi
echo 'int main(void) { return missing; }' >"$tmp/bad.c"
both "a faulty file" 60 gcc -c "$tmp/bad.c" -o "$tmp/bad.o"
done_testing
