#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# What `make install` leaves is what somebody else can build with: pkg-config, CMake, the shared
# and the static library, the command; and it goes away again.
set -u
cd "$(dirname "$0")/../.." || exit 3
root=$PWD
tmp=$(mktemp -d) || exit 3
trap 'rm -rf "$tmp"' EXIT
unset MAKEFLAGS MFLAGS KMEM_CMDLINE LD_PRELOAD
prefix=$tmp/usr
lib=$prefix/lib
nr=0
failed=0

ok() { # ok STATUS NAME [FILE]: the file is shown when it failed
	nr=$((nr + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $nr - test_install.sh: $2"
	else
		failed=1
		[ -z "${3:-}" ] || tail -n 15 "$3" | sed 's/^/# /'
		echo "not ok $nr - test_install.sh: $2"
	fi
}

# ---- The files ----------------------------------------------------------------------------------

# prefix is built into the command, so the build is one of its own.
make -j2 B="$tmp/build" prefix="$prefix" install >"$tmp/log" 2>&1 </dev/null
ok $? 'make install prefix=' "$tmp/log"
[ -f "$lib/libkmem.so.0.1.0" ] && [ "$(readlink "$lib/libkmem.so.0")" = libkmem.so.0.1.0 ] &&
	[ "$(readlink "$lib/libkmem.so")" = libkmem.so.0 ] && [ -f "$lib/libkmem.a" ] &&
	[ -f "$lib/libkmem-malloc.so.0" ] && [ -f "$lib/libkmem-malloc.a" ] &&
	[ "$(readlink "$lib/libkmem-malloc.so")" = libkmem-malloc.so.0 ]
ok $? 'the libraries and their links'
soname=$(objdump -p "$lib/libkmem.so" | sed -n 's/.*SONAME *//p')
[ "$soname" = libkmem.so.0 ]
ok $? "soname of libkmem ($soname)"
for header in include/kmem/*.h; do
	cmp -s "$header" "$prefix/$header" || echo "$header"
done >"$tmp/log"
[ ! -s "$tmp/log" ]
ok $? 'every header' "$tmp/log"
if compgen -G 'man/*.[1-9]' >/dev/null; then
	[ "$(find "$prefix/share/man" -type f | wc -l)" -eq "$(find man -name '*.[1-9]' | wc -l)" ]
	ok $? 'every manual page'
fi

# ---- What they export ---------------------------------------------------------------------------

mk/exports.py >"$tmp/map" 2>"$tmp/log"
diff "$tmp/map" mk/libkmem.map >"$tmp/log"
ok $? 'mk/libkmem.map is what the public headers declare (make exports)' "$tmp/log"
mk/exports.py --list >"$tmp/want"
nm -D --defined-only "$lib/libkmem.so" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' |
	sort -u >"$tmp/have"
LC_ALL=C sort -u "$tmp/want" | diff - <(LC_ALL=C sort -u "$tmp/have") >"$tmp/log"
ok $? 'libkmem.so exports the public names and no other' "$tmp/log"
sed -n 's/^\t\([a-z_0-9]*\);$/\1/p' malloc/exports.map | LC_ALL=C sort -u >"$tmp/want"
nm -D --defined-only "$lib/libkmem-malloc.so.0" | awk '$2 != "A" { print $3 }' |
	LC_ALL=C sort -u >"$tmp/have"
diff "$tmp/want" "$tmp/have" >"$tmp/log"
ok $? 'libkmem-malloc.so exports the malloc family and no other' "$tmp/log"
nm -g --defined-only "$lib/libkmem-malloc.a" | awk 'NF == 3 { print $3 }' |
	LC_ALL=C sort -u >"$tmp/have"
diff "$tmp/want" "$tmp/have" >"$tmp/log"
ok $? 'libkmem-malloc.a has the malloc family and no other names' "$tmp/log"
readelf -d "$lib/libkmem.so" "$lib/libkmem-malloc.so.0" "$prefix/bin/kmem" >"$tmp/log"
! grep -Eq 'TEXTREL|RPATH|RUNPATH|libgcc_s' "$tmp/log"
ok $? 'no text relocations, no run paths, no libgcc_s' "$tmp/log"

# ---- A program of somebody else's ---------------------------------------------------------------

mkdir "$tmp/app"
cat >"$tmp/app/main.c" <<'C'
#include <stdio.h>
#include <string.h>
#include <kmem/kmem.h>

int main(void)
{
	char *p;

	if (kmem_boot("mem=64M zones=i386"))
		return 1;
	p = kmalloc(100, GFP_KERNEL);
	if (!p)
		return 2;
	strcpy(p, "it works");
	puts(p);
	printf("%zu\n", ksize(p));
	kfree(p);
	return kmem_shutdown() == 0 ? 0 : 3;
}
C
export PKG_CONFIG_PATH=$lib/pkgconfig
expect=$(printf 'it works\n128')
# shellcheck disable=SC2046 # flags are words
gcc -Wall -Werror "$tmp/app/main.c" -o "$tmp/app/shared" $(pkg-config --cflags --libs kmem) \
	>"$tmp/log" 2>&1 && out=$(LD_LIBRARY_PATH=$lib "$tmp/app/shared" 2>>"$tmp/log") &&
	[ "$out" = "$expect" ]
ok $? 'a program by pkg-config, shared' "$tmp/log"
gcc "$tmp/app/main.c" -o "$tmp/app/static" "-I$prefix/include" "$lib/libkmem.a" -lpthread \
	>"$tmp/log" 2>&1 && out=$("$tmp/app/static" 2>>"$tmp/log") && [ "$out" = "$expect" ]
ok $? 'the same with libkmem.a' "$tmp/log"
[ "$(pkg-config --modversion kmem)" = 0.1.0 ]
ok $? 'kmem.pc says 0.1.0'
if command -v cmake >/dev/null; then
	cat >"$tmp/app/CMakeLists.txt" <<'CMAKE'
cmake_minimum_required(VERSION 3.10)
project(app C)
find_package(kmem 0.1 REQUIRED)
add_executable(app main.c)
target_link_libraries(app kmem::kmem)
CMAKE
	cmake -S "$tmp/app" -B "$tmp/app/out" -DCMAKE_PREFIX_PATH="$prefix" >"$tmp/log" 2>&1 &&
		cmake --build "$tmp/app/out" >>"$tmp/log" 2>&1 &&
		out=$("$tmp/app/out/app" 2>>"$tmp/log") && [ "$out" = "$expect" ]
	ok $? 'a program by CMake' "$tmp/log"
	sed 's/kmem 0.1/kmem 0.9/' "$tmp/app/CMakeLists.txt" >"$tmp/app/new" &&
		mv "$tmp/app/new" "$tmp/app/CMakeLists.txt"
	! cmake -S "$tmp/app" -B "$tmp/app/out2" -DCMAKE_PREFIX_PATH="$prefix" >"$tmp/log" 2>&1
	ok $? 'CMake refuses a version that is not there' "$tmp/log"
else
	nr=$((nr + 1))
	echo "ok $nr - test_install.sh: a program by CMake # SKIP cmake is not installed"
fi
# shellcheck disable=SC2046 # flags are words
gcc -Wall -Werror examples/blockcache/*.c -o "$tmp/app/blockcache" $(pkg-config --cflags --libs kmem) \
	>"$tmp/log" 2>&1 && LD_LIBRARY_PATH=$lib "$tmp/app/blockcache" --file "$tmp/app/blocks" \
	--size 4M --mem 1M --ops 2000 >>"$tmp/log" 2>&1
ok $? 'examples/blockcache by the line of its README' "$tmp/log"
cat >"$tmp/app/all.cc" <<'CC'
#include <kmem/kmem.h>
#include <kmem/shrinker.h>
#include <kmem/stat.h>
#include <kmem/trace.h>
int main() { void *p = kmalloc(1, GFP_KERNEL); kfree(p); return p == nullptr; }
CC
g++ -Wall -Wextra -Werror "$tmp/app/all.cc" -o "$tmp/app/cc" "-I$prefix/include" "-L$lib" -lkmem \
	>"$tmp/log" 2>&1 && LD_LIBRARY_PATH=$lib KMEM_CMDLINE=mem=64M "$tmp/app/cc" >>"$tmp/log" 2>&1
ok $? 'the headers serve C++' "$tmp/log"

# ---- The command, and away with it --------------------------------------------------------------

out=$("$prefix/bin/kmem" run -- sh -c 'echo $((6 * 7))' 2>"$tmp/log") && [ "$out" = 42 ]
ok $? 'the installed command finds its library' "$tmp/log"
"$prefix/bin/kmem" bench --ms 1 --rounds 1 --peers glibc bulk >"$tmp/log" 2>&1 && grep -q '^16 blocks' "$tmp/log"
ok $? 'and its benchmark' "$tmp/log"
make -C "$root" B="$tmp/build" DESTDIR="$tmp/stage" prefix=/opt/kmem libdir=/opt/kmem/lib64 install \
	>"$tmp/log" 2>&1 </dev/null
[ $? -eq 0 ] && [ -f "$tmp/stage/opt/kmem/lib64/libkmem.so.0.1.0" ] &&
	grep -q '^libdir=/opt/kmem/lib64$' "$tmp/stage/opt/kmem/lib64/pkgconfig/kmem.pc"
ok $? 'DESTDIR and libdir' "$tmp/log"
make B="$tmp/build" prefix="$prefix" uninstall >"$tmp/log" 2>&1 </dev/null
[ "$(find "$prefix" -type f -o -type l | wc -l)" -eq 0 ]
ok $? 'make uninstall leaves nothing' "$tmp/log"
echo "1..$nr"
exit $failed
