#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# Set-up on Debian: looks for the programs, headers and libraries that a target needs, and installs
# what is missing through apt. When nothing is missing it asks nobody, so it works offline.
#
#	mk/setup.sh run|test|bench  NO_APT=1: installs nothing; then what is required and missing fails
#				with the line to type, and what is optional is said loudly
#	mk/setup.sh have ARCH|msan	is there a compiler and C library for it?
#
# Exit status: 0 all that is required is there, 3 something is not.
set -u

# ---- What is needed: "how to look for it | package | what becomes of us without it" ------------
# how: a program's name; or test FILE..., any of which will do; or a function of this file.

build_needs=(
	'gcc|gcc|'
	'make|make|'
	'test /usr/include/pthread.h /usr/include/*/bits/pthreadtypes.h|libc6-dev|'
)
run_needs=(
	"${build_needs[@]}"
	'git|git|'
	'sqlite3|sqlite3|'
	'python3|python3|'
	'has_traceevent|libtraceevent-dev|'
	'has_tracecmd|libtracecmd-dev|'
)
test_needs=(
	"${run_needs[@]}"
	'has_perl_harness|perl|'
	'g++|g++|'
	'pkg-config|pkg-config|'
	'cmake|cmake|'
	'clang-format-14|clang-format-14|'
	'mandoc|mandoc|'
	'ps|procps|'
	'nm|binutils|'
	'has_python_tests|libpython3.11-testsuite|'
	'test /usr/include/fuse3/fuse.h|libfuse3-dev|'
	'fusermount3|fuse3|'
	'test /usr/src/linux-source-6.1.tar.xz|linux-source-6.1|'
)
test_likes=(
	'has_m32|gcc-12-multilib g++-12-multilib|no tests of the 32-bit build'
	'aarch64-linux-gnu-gcc-12|gcc-12-aarch64-linux-gnu|no build for aarch64'
	'test /usr/aarch64-linux-gnu/include/stdio.h|libc6-dev-arm64-cross|no build for aarch64'
	'has_msan|clang-14 libclang-rt-14-dev|no build for MemorySanitizer'
	'qemu-aarch64|qemu-user|the aarch64 build is compiled and not run'
	'qemu-system-aarch64|qemu-system-arm|the sequences of aarch64 are not run'
	'cpio|cpio|the sequences of aarch64 are not run'
	'redis-server|redis-server|redis is not tried under the preloaded malloc'
	'redis-benchmark|redis-tools|redis is not tried under the preloaded malloc'
	'valgrind|valgrind|no memcheck run'
	'spin|spin|the models of the waits are not checked'
	'test /usr/bin/time|time|peak memory is not compared'
	'test /usr/include/liburing.h|liburing-dev|zone DMA is not tried with io_uring'
	'codespell|codespell|spelling is not checked'
	'shellcheck|shellcheck|shell scripts are not checked'
)

bench_needs=(
	"${build_needs[@]}"
	'python3|python3|'
)
bench_likes=(
	'has_library libjemalloc.so.2|libjemalloc2|not compared with jemalloc'
	'has_library libmimalloc.so.2.*|libmimalloc2.0|not compared with mimalloc'
	'has_library libtcmalloc_minimal.so.4|libtcmalloc-minimal4|not compared with tcmalloc'
	'has_library libjemalloc.a|libjemalloc-dev|not compared with jemalloc linked from its archive'
	'has_library libtcmalloc_minimal.a|libgoogle-perftools-dev|not compared with tcmalloc linked from its archive'
	'redis-server|redis-server|redis is not measured'
	'redis-benchmark|redis-tools|redis is not measured'
	'sqlite3|sqlite3|sqlite3 is not measured'
)

# ---- Looking ----------------------------------------------------------------------------------

has_perl_harness() { perl -MTAP::Harness -e 1 2>/dev/null; }
has_python_tests() { python3 -c 'import test.test_json' 2>/dev/null; }
has_traceevent() { compgen -G '/usr/include/traceevent/event-parse.h' >/dev/null; }
has_tracecmd() { compgen -G '/usr/lib/*/libtracecmd.so' >/dev/null; }
has_library() { compgen -G "/usr/lib/*/$1" >/dev/null; }
has_msan() {
	printf 'int main(void) { return 0; }\n' |
		clang-14 -fsanitize=memory -x c - -o /dev/null 2>/dev/null
}
has_m32() {
	[ "$(uname -m)" != x86_64 ] || printf 'int main(void) { return 0; }\n' |
		gcc -m32 -x c - -o /dev/null 2>/dev/null
}

found() { # found HOW
	local -a how
	local file
	read -ra how <<<"$1"
	case ${how[0]} in
	test)
		for file in "${how[@]:1}"; do
			compgen -G "$file" >/dev/null && return 0
		done
		return 1
		;;
	has_*) "${how[@]}" ;;
	*) command -v "${how[0]}" >/dev/null 2>&1 ;;
	esac
}

missing() { # missing LINE...: the packages of what is not there, one a line
	local line how package
	local -a packages
	for line in "$@"; do
		IFS='|' read -r how package _ <<<"$line"
		read -ra packages <<<"$package"
		found "$how" || printf '%s\n' "${packages[@]}"
	done | sort -u
}

say_without() { # what the missing optional parts mean, one line each
	local line how package without
	for line in "$@"; do
		IFS='|' read -r how package without <<<"$line"
		found "$how" || echo "MISSING $package: $without"
	done
}

have() {
	case $1 in
	i386) has_m32 || { say_without "${test_likes[0]}"; return 1; } ;;
	aarch64) [ -z "$(missing "${test_likes[@]:1:2}")" ] ||
		{ say_without "${test_likes[@]:1:2}"; return 1; } ;;
	msan) has_msan || { say_without "${test_likes[3]}"; return 1; } ;;
	esac
}

# ---- Installing -------------------------------------------------------------------------------

apt=(apt-get -o DPkg::Lock::Timeout=120 install -y --no-install-recommends)

as_root() {
	if [ "$(id -u)" = 0 ]; then
		"$@"
	else
		sudo -n "$@"
	fi
}

can_install() {
	[ "${NO_APT:-0}" != 1 ] && command -v apt-get >/dev/null &&
		{ [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null; }
}

quiet_install() {
	as_root env DEBIAN_FRONTEND=noninteractive "${apt[@]}" "$@" >/dev/null 2>&1 </dev/null
}

install() { # install PACKAGE...: once more with fresh lists, then what can be had of them
	local package
	echo "installing: $*"
	quiet_install "$@" && return
	as_root apt-get update -qq </dev/null || return
	quiet_install "$@" && return
	for package in "$@"; do
		quiet_install "$package" || echo "could not install $package"
	done
}

setup() { # setup TARGET REQUIRED... -- OPTIONAL...
	local target=$1 needs=() likes=() want
	shift
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		needs+=("$1")
		shift
	done
	shift
	likes=("$@")
	mapfile -t want < <(missing "${needs[@]}" "${likes[@]}")
	[ ${#want[@]} -eq 0 ] || ! can_install || install "${want[@]}"
	say_without "${likes[@]}"
	mapfile -t want < <(missing "${needs[@]}")
	[ ${#want[@]} -eq 0 ] && return 0
	echo "make $target needs packages that are not installed. Type:" >&2
	echo "	sudo apt-get install -y --no-install-recommends ${want[*]}" >&2
	return 3
}

case ${1:-} in
run) setup run "${run_needs[@]}" -- ;;
test) setup test "${test_needs[@]}" -- "${test_likes[@]}" ;;
bench) setup bench "${bench_needs[@]}" -- "${bench_likes[@]}" ;;
have) have "${2:-}" ;;
*)
	echo "usage: mk/setup.sh run|test|bench|have ARCH|msan" >&2
	exit 2
	;;
esac
