#!/bin/sh
# SPDX-License-Identifier: MIT
# The restartable sequences of aarch64 under a kernel that has them: qemu-user has none, so the test
# of the stacks is the one program of a guest with two CPUs, emulated. Its results are this script's.
# The emulator looks for interrupts where a block of instructions ends; with GUEST_STEP=1 (make soak)
# every instruction is a block, which is ten times slower and finds what needs one at the right place.
set -u
cd "$(dirname "$0")/../.." || exit 3
program=build/posix-aarch64-debug/tests/stacks/test_stacks
lib=/usr/aarch64-linux-gnu/lib
kernel=build/aarch64-kernel
skip() {
	echo "1..0 # SKIP the sequences of aarch64 are compiled and not run: $1"
	exit 0
}
[ "$(uname -m)" = x86_64 ] || skip "this host is no x86-64"
command -v qemu-system-aarch64 >/dev/null || skip "qemu-system-arm is not installed"
command -v cpio >/dev/null || skip "cpio is not installed"
mk/setup.sh have aarch64 >/dev/null || skip "there is no compiler for it"
tests/stacks/aarch64/kernel.sh "$kernel" || skip "Debian's kernel for it is not to be had ($kernel/log)"
make -s ARCH=aarch64 VARIANT=debug "$program" >&2 || exit 3

work=$(mktemp -d "${TMPDIR:-/tmp}/kmem-guest.XXXXXX") || exit 3
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/guest/proc" "$work/guest/tmp" "$work/guest/dev" "$work/guest/lib"
cp "$program" "$work/guest/test"
cp "$lib/ld-linux-aarch64.so.1" "$lib/libc.so.6" "$work/guest/lib/"
aarch64-linux-gnu-gcc-12 -O2 -static tests/stacks/aarch64/init.c -o "$work/guest/init" || exit 3
(cd "$work/guest" && find . | cpio -o -H newc --quiet) >"$work/initrd" || exit 3
timeout 800 qemu-system-aarch64 -accel tcg,thread=multi -M virt -cpu cortex-a72 -smp 2 -m 512 \
	${GUEST_STEP:+-singlestep} -nographic -nodefaults -serial stdio -no-reboot -kernel "$kernel/vmlinuz" \
	-initrd "$work/initrd" -append "console=ttyAMA0 quiet panic=-1" </dev/null >"$work/out" 2>&1
tr -d '\r' <"$work/out" | grep -E '^(ok|not ok|#|1\.\.)'
if ! grep -q '^guest: status 0' "$work/out"; then
	echo "# the guest did not end well:"
	tail -n 5 "$work/out" | tr -d '\r' | sed 's/^/# /'
	exit 1
fi
# Without this the trylocks would have been tried, which x86-64 tries anyway.
if grep -q '^# restartable sequences' "$work/out"; then
	exit 0
fi
echo "# the guest ran without sequences"
exit 1
