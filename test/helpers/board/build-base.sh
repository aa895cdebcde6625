#!/usr/bin/env bash
# Builds the system of a board that runs as a container: a small Debian 13 with systemd and nothing of ours. Needs root.
# Takes about a minute, mostly downloads.
#
#   build-base.sh FILE        leaves a tar archive
set -euo pipefail
shopt -s inherit_errexit

file=$(realpath "$1")
suite=trixie
# The machine's own package sources, for that suite: whatever it installs from serves the board, too.
sources=/etc/apt/sources.list.d/debian.sources
[ -f "$sources" ] || sources=/etc/apt/sources.list
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")

sed "s/$codename/$suite/g" "$sources" | mmdebstrap --quiet --mode=root --variant=minbase \
  --aptopt='Apt::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  --include=systemd,systemd-sysv,dbus,udev,kmod,procps,libstdc++6 \
  --customize-hook='chroot "$1" systemctl --quiet mask getty.target console-getty.service systemd-remount-fs.service \
    sys-kernel-debug.mount sys-kernel-tracing.mount dev-hugepages.mount' \
  --customize-hook="install -m 755 '$(dirname "$(realpath "$0")")/board-init.sh' \"\$1/sbin/board-init\"" \
  --customize-hook=': >"$1/etc/machine-id"' \
  "$suite" "$file" -
