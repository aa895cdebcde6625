#!/usr/bin/env bash
# Builds the kernel's hwmon driver of the INA226, which Debian leaves out, from Debian's own source of the same kernel.
# Nothing is installed: the packages are only taken apart.
#
#   build-ina2xx.sh KERNEL FOLDER     such as 6.1.0-56-amd64; leaves ina2xx.ko in FOLDER
set -euo pipefail
shopt -s inherit_errexit

kernel=$1
mkdir -p "$2"
folder=$(realpath "$2")
cd "$folder"

version=$(cut -d. -f1,2 <<<"$kernel")
fetch() {
  local needed
  # What the headers lean on: the part that all flavours share, and the programs that build modules.
  needed=$(apt-cache depends "linux-headers-$kernel" | sed -nE 's/^ *Depends: (linux-(headers|kbuild)-.*)/\1/p')
  # shellcheck disable=SC2086
  apt-get -qq -o APT::Sandbox::User=root download "linux-headers-$kernel" $needed "linux-source-$version"
}
# This machine's package lists may be older than the kernel, which comes from new ones.
fetch || { apt-get -qq update && fetch; }
for package in linux-headers-*.deb linux-kbuild-*.deb; do dpkg -x "$package" .; done

# The source package is one archive in another; only one file of it is wanted.
archive=linux-source-$version.tar.xz
dpkg --fsys-tarfile linux-source-*.deb | tar x --strip-components=3 "./usr/src/$archive"
mkdir module
tar xJf "$archive" --occurrence=1 --strip-components=3 -C module "linux-source-$version/drivers/hwmon/ina2xx.c"
echo 'obj-m := ina2xx.o' >module/Makefile

headers=usr/src/linux-headers-$kernel
# It leads to the other part by the path of an installed package.
sed -i "s#/usr/src/#$folder/usr/src/#" "$headers/Makefile"
make -s -C "$headers" M="$folder/module" modules
mv module/ina2xx.ko ina2xx.ko
