#!/bin/sh
# SPDX-License-Identifier: MIT
# Planted bugs: each script of tests/signals/planted makes one in a copy of a source file, and the
# stepping search must find it; in the code as it is, it must find nothing.
set -u
cd "$(dirname "$0")/../.." || exit 3
build=${KMEM_BUILD_DEBUG:-build/posix-$(uname -m)-debug}
work=$(mktemp -d "${TMPDIR:-/tmp}/kmem-planted.XXXXXX") || exit 3
trap 'rm -rf "$work"' EXIT
case $(uname -m) in
x86_64 | i?86) ;;
*)
	echo "1..0 # SKIP this processor cannot be stepped from within a process"
	exit 0
	;;
esac
if [ ! -f "$build/libkmem.a" ]; then
	make -s VARIANT=debug libs >&2 || exit 3
fi
cc="${CC:-gcc} -std=gnu11 -O1 -g -D_GNU_SOURCE -Iinclude -Isrc -Imk/config/debug -Itests
	-fPIC -fno-semantic-interposition -fvisibility=hidden"
port="-Iports/posix"
wrap="-Wl,--wrap=port_spin_lock_slow -Wl,--wrap=port_spawn -Wl,--wrap=port_meta
	-Wl,--wrap=port_window_map -Wl,--wrap=port_window_unmap"
n=0
failed=0

result() { # status name
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		failed=1
	fi
	sed 's/^/# /' "$work/out"
}

# shellcheck disable=SC2086 # lists of words
compile() { # the hunt, into a folder, with the port's headers from there if it has some
	mkdir -p "$1/hunt"
	for c in planted/hunt lib/step lib/judge lib/shapes lib/victims lib/victims_pools lib/face; do
		$cc $port -c "tests/signals/$c.c" -o "$1/hunt/$(basename $c).o" || return 1
	done
}

# A header is inlined everywhere, so all of the core is made anew with it.
# shellcheck disable=SC2086
plant_header() { # planted-header file
	mkdir -p "$work/ports/posix" "$work/ports/common" "$work/core"
	cp ports/posix/*.[ch] "$work/ports/posix/"
	cp ports/common/*.h "$work/ports/common/"
	cp "$1" "$work/$2"
	port="-I$work/ports/posix"
	for c in src/*/*.c "$work"/ports/posix/*.c; do
		$cc $port -c "$c" -o "$work/core/$(echo "$c" | tr / _).o" || return 1
	done
	compile "$work/header" || return 1
	port="-Iports/posix"
	$cc "$work"/header/hunt/*.o "$work"/core/*.o $wrap -lpthread -o "$work/planted"
}

# shellcheck disable=SC2086
plant_source() { # planted-source
	$cc $port -c "$1" -o "$work/planted.o" &&
		$cc "$work"/hunt/*.o "$work/planted.o" "$build/libkmem.a" $wrap -lpthread \
			-o "$work/planted"
}

plant() { # script
	file=$(sed -n '1s/^# //p' "$1")
	sed -E -f "$1" "$file" >"$work/planted.c"
	if cmp -s "$file" "$work/planted.c"; then
		echo "the script no longer changes $file" >"$work/out"
		return 1
	fi
	case $file in
	*.h) plant_header "$work/planted.c" "$file" >"$work/out" 2>&1 ;;
	*) plant_source "$work/planted.c" >"$work/out" 2>&1 ;;
	esac || return 1
	timeout 120 "$work/planted" "$(sed -n 's/^# victims: //p' "$1")" 0 >"$work/out" 2>&1
	[ $? -eq 1 ]
}

compile "$work" || exit 3
# shellcheck disable=SC2086
$cc "$work"/hunt/*.o "$build/libkmem.a" $wrap -lpthread -o "$work/control" || exit 3
timeout 300 "$work/control" "" 1 >"$work/out" 2>&1
result $? "nothing is found in the code as it is"
for script in ${PLANTED:-tests/signals/planted/*.sed}; do
	plant "$script"
	result $? "$(basename "$script" .sed)"
done
echo "1..$n"
exit $failed
