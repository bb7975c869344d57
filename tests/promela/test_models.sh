#!/bin/sh
# SPDX-License-Identifier: MIT
# Checks the Promela models of this folder with spin: every state that can be reached, for assertions
# and for ends in which somebody still waits. Each model has mistakes planted under BUG=1, 2, ...; a
# search that does not find each of them proves nothing.
#
# The first line of a model is a comment, "spin: WORDS": -D... are for the C compiler of the search,
# -m... and -w... for the search, "progress" asks for cycles without progress too.
set -u
cd "$(dirname "$0")" || exit 3
if ! command -v spin >/dev/null; then
	echo "1..0 # SKIP spin is not installed: the models of tests/promela are not checked"
	exit 0
fi
work=$(mktemp -d "${TMPDIR:-/tmp}/kmem-models.XXXXXX") || exit 3
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
here=$PWD
nr=0
failed=0

result() { # STATUS TEXT
	nr=$((nr + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $nr - $2"
	else
		echo "not ok $nr - $2"
		sed 's/^/# /' "$work/out" | tail -n 30
		failed=1
	fi
}

# search MODEL BUG KIND: what is left in $work/out. Status 0: all states were seen, no error;
# 1: an error was found; 2: neither.
search() {
	cd "$work" || exit 3
	rm -f pan pan.* ./*.trail
	how="-DSAFETY -DCOLLAPSE -DMEMLIM=900"
	run="-w20"
	words=$(sed -n '1s/.*spin:\(.*\)\*\/.*/\1/p' "$here/$1")
	for word in $words; do
		case $word in
		-D*) how="$how $word" ;;
		-*) run="$run $word" ;;
		esac
	done
	if [ "$3" = progress ]; then
		how="${how#-DSAFETY} -DNP"
		run="$run -l"
	fi
	# shellcheck disable=SC2086 # lists of words
	{
		spin -a -DBUG="$2" "$here/$1" && ${CC:-gcc} -O2 -w $how pan.c -o pan &&
			timeout 300 ./pan -n $run
	} >out 2>&1
	states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' out)
	cd "$here" || exit 3
	grep -q 'errors: [1-9]' "$work/out" && return 1
	! grep -q 'errors: 0' "$work/out" || grep -qE 'MEMLIM bound|too small|truncated' "$work/out" &&
		return 2
	return 0
}

for model in *.pml; do
	kinds=safety
	head -n 1 "$model" | grep -qw progress && kinds="safety progress"
	for kind in $kinds; do
		search "$model" 0 "$kind"
		result $? "$model: $kind, ${states:-no} states"
	done
	bugs=$(grep -oE 'BUG *[!=]= *[1-9][0-9]*' "$model" | grep -oE '[0-9]+$' | sort -nu)
	for bug in $bugs; do
		found=1
		for kind in $kinds; do
			[ $found -eq 0 ] && break
			search "$model" "$bug" "$kind"
			[ $? -eq 1 ] && found=0
		done
		result $found "$model: planted mistake $bug is found"
	done
done
echo "1..$nr"
exit $failed
