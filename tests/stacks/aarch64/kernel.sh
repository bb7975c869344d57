#!/bin/sh
# SPDX-License-Identifier: MIT
# Fetches Debian's kernel for aarch64 into FOLDER/vmlinuz, without making this machine one of two
# architectures: apt works on lists and a state of its own there. Exit status 3: not to be had.
#
#	kernel.sh FOLDER
set -u
folder=${1:?usage: kernel.sh FOLDER}
[ ! -f "$folder/vmlinuz" ] || exit 0
[ "${NO_APT:-0}" != 1 ] && command -v apt-get >/dev/null && command -v dpkg-deb >/dev/null || exit 3
mkdir -p "$folder/state/lists/partial" "$folder/cache/archives/partial" || exit 3
cd "$folder" || exit 3
here=$(pwd)
: >state/status
cat >apt.conf <<END
APT::Architecture "arm64";
APT::Architectures { "arm64"; };
APT::Sandbox::User "root";
Dir::State "$here/state";
Dir::State::status "$here/state/status";
Dir::Cache "$here/cache";
END
apt-get -q -c apt.conf update >log 2>&1 || exit 3
# The smallest of its kernels, by the dependency that names the present version.
package=$(apt-cache -c apt.conf depends linux-image-cloud-arm64 2>>log | sed -n 's/^ *Depends: //p')
[ -n "$package" ] && apt-get -q -c apt.conf download "$package" >>log 2>&1 || exit 3
dpkg-deb --fsys-tarfile "$package"_*.deb | tar -xf - --wildcards './boot/vmlinuz-*' 2>>log || exit 3
rm -rf state cache ./*.deb
mv boot/vmlinuz-* vmlinuz && rmdir boot
