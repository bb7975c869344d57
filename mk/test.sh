#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the variants given as PORT-ARCH-VARIANT, then runs all their tests and the script tests.
# `make test` calls it. A variant that does not build is a failure; the others still run.
set -u
cd "$(dirname "$0")/.." || exit 3
make=${MAKE:-make}
jobs=$(nproc 2>/dev/null || echo 2)
machine=$(uname -m)
started=$(date +%s)
broken=()
places=()

# Nothing that is set for one program may steer the others.
unset MAKEFLAGS MFLAGS KMEM_CMDLINE KMEM_MALLOC KMEM_MALLOC_OUT LD_PRELOAD

# A kernel may run 64-bit programs only. qemu-i386 is no way out: its threads share what their thread-local
# data is found by.
export KMEM_NO_32BIT=
probe=$(mktemp) || exit 3
if [ "$machine" = x86_64 ] && echo 'int main(void) { return 0; }' | gcc -m32 -x c - -o "$probe" 2>/dev/null &&
	! "$probe" 2>/dev/null; then
	KMEM_NO_32BIT=1
fi
rm -f "$probe"

for variant in "$@"; do
	target=tests
	[ "$variant" = "${variant%:libs}" ] || target=libs
	IFS=- read -r port arch kind <<<"${variant%:libs}"
	folder=build/$port-$arch
	[ "$kind" = release ] || folder=$folder-$kind
	compiler=$arch
	[ "$kind" != msan ] || compiler=msan
	if [ "$compiler" != "$machine" ] && ! mk/setup.sh have "$compiler"; then
		echo "SKIPPED $variant: its compiler is not installed (see above)"
		continue
	fi
	printf '== %s\n' "$variant"
	if ! $make --no-print-directory -k -j"$jobs" PORT="$port" ARCH="$arch" VARIANT="$kind" $target; then
		broken+=("$variant")
		continue
	fi
	[ $target = tests ] || continue
	# Every architecture under emulation runs the quick tests only: the rest is minutes.
	if [ "$arch" = aarch64 ] && [ "$machine" != aarch64 ]; then
		if command -v qemu-aarch64 >/dev/null; then
			places+=("$folder/tests/unit")
		else
			echo "SKIPPED running $variant: there is no qemu-aarch64; it was only compiled"
		fi
	elif [ "$arch" = i386 ] && [ -n "$KMEM_NO_32BIT" ]; then
		echo "SKIPPED running $variant: this kernel runs no 32-bit programs; it was only compiled"
	else
		places+=("$folder/tests")
	fi
done
printf '== freestanding\n'
$make --no-print-directory -k -j"$jobs" bare || broken+=(freestanding)

mapfile -t scripts < <(find tests -mindepth 2 -maxdepth 2 -type f -perm -u+x \
	\( -name '*.sh' -o -name '*.py' -o -name '*.pl' \) | sort)
printf '== tests\n'
out=$(mktemp) || exit 3
trap 'rm -f "$out"' EXIT
perl mk/tests.pl --jobs=2 "${places[@]}" "${scripts[@]}" | tee "$out"
# A runner that was ended says nothing at its end: that is a failure too.
passed=0
failed=1
if [[ $(tail -n 1 "$out") =~ ^([0-9]+)\ passed,\ ([0-9]+)\ failed ]]; then
	passed=${BASH_REMATCH[1]}
	failed=${BASH_REMATCH[2]}
fi
for variant in "${broken[@]}"; do
	echo "NOT BUILT $variant"
done
printf 'in %d seconds\n' $(($(date +%s) - started))
printf '%d passed, %d failed\n' "$passed" $((failed + ${#broken[@]}))
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ] && [ ${#broken[@]} -eq 0 ]
