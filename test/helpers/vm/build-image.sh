#!/usr/bin/env bash
# Builds the disk of a board for tests: a small Debian with systemd, ssh, stand-in INA226s and every kernel driver for
# them. Needs root, no loop device and no KVM. Takes one to two minutes, mostly downloads.
#
#   build-image.sh FOLDER     leaves root.img, vmlinuz, initrd.img, key and known_hosts in FOLDER
set -euo pipefail
shopt -s inherit_errexit

folder=$(realpath "$1")
here=$(dirname "$(realpath "$0")")
tree=$folder/tree
suite=$(. /etc/os-release && echo "$VERSION_CODENAME")
# The machine's own package sources: whatever it installs from serves the board, too.
sources=/etc/apt/sources.list.d/debian.sources
[ -f "$sources" ] || sources=/etc/apt/sources.list

packages=(
  systemd systemd-sysv udev dbus openssh-server iproute2
  linux-image-amd64 kmod initramfs-tools zstd e2fsprogs
  i2c-tools strace
)

# An initrd of the four modules that reach the disk boots twice as fast as one for any machine.
initrd_settings='
  mkdir -p "$1/etc/initramfs-tools/conf.d"
  printf "MODULES=list\nCOMPRESS=zstd\n" >"$1/etc/initramfs-tools/conf.d/board"
  printf "%s\n" virtio_pci virtio_blk ext4 virtio_rng >"$1/etc/initramfs-tools/modules"'

mmdebstrap --quiet --mode=root --variant=minbase \
  --aptopt='Apt::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' \
  --dpkgopt='path-exclude=/usr/share/locale/*' \
  --essential-hook="$initrd_settings" \
  --include="$(IFS=,; echo "${packages[*]}")" "$suite" "$tree" "$sources"

echo board >"$tree/etc/hostname"
echo '127.0.0.1 localhost board' >"$tree/etc/hosts"
# What of the project runs on it, read only, and the disk that outlives a power cut.
mkdir -p "$tree/media/ericht" "$tree/var/lib/ericht"
cat >"$tree/etc/fstab" <<'TABLE'
/dev/vda                          /               ext4 noatime    0 1
/dev/disk/by-id/virtio-PAYLOAD    /media/ericht   ext4 ro         0 0
/dev/disk/by-id/virtio-DATA       /var/lib/ericht ext4 noatime    0 0
TABLE
for program in chip bundle/bin/node bundle/bin/ericht; do
  ln -s "/media/ericht/$program" "$tree/usr/local/bin/${program##*/}"
done
: >"$tree/etc/machine-id"

# The name server of QEMU's user network; a resolver of its own costs seconds at each boot.
rm -f "$tree/etc/resolv.conf"
echo 'nameserver 10.0.2.3' >"$tree/etc/resolv.conf"
printf '[Match]\nType=ether\n[Network]\nDHCP=yes\n' >"$tree/etc/systemd/network/wired.network"
chroot "$tree" systemctl --quiet enable systemd-networkd.service
chroot "$tree" systemctl --quiet mask systemd-networkd-wait-online.service apt-daily.timer apt-daily-upgrade.timer \
  dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer

# i2c-stub plays the chips, as many as it can; which driver serves them is up to each test.
printf '%s\n' i2c-dev i2c-stub >"$tree/etc/modules-load.d/i2c.conf"
addresses=$(printf '0x%x,' {64..73})
echo "options i2c-stub chip_addr=${addresses%,}" >"$tree/etc/modprobe.d/i2c-stub.conf"
printf 'blacklist %s\n' ina2xx ina2xx-adc >"$tree/etc/modprobe.d/ina226.conf"

kernel=$(ls "$tree/lib/modules")
"$here/build-ina2xx.sh" "$kernel" "$folder/driver"
install -D -m 644 "$folder/driver/ina2xx.ko" "$tree/lib/modules/$kernel/extra/ina2xx.ko"
chroot "$tree" depmod "$kernel"

ssh-keygen -q -t ed25519 -N '' -C board -f "$folder/key"
install -d -m 700 "$tree/root/.ssh"
install -m 600 "$folder/key.pub" "$tree/root/.ssh/authorized_keys"

# The board's own key, so that a test never talks to whoever else listens on its port.
echo "board $(cat "$tree/etc/ssh/ssh_host_ed25519_key.pub")" >"$folder/known_hosts"

cp "$tree"/boot/vmlinuz-* "$folder/vmlinuz"
cp "$tree"/boot/initrd.img-* "$folder/initrd.img"
truncate -s 2G "$folder/root.img"
mke2fs -q -t ext4 -E root_owner=0:0 -d "$tree" "$folder/root.img"
rm -rf "$tree" "$folder/driver"
