#!/bin/sh
# The first process of a board in a container: undoes what the engine holds fast, then becomes systemd.
mount -o remount,rw /sys
mount --make-rshared /
umount -R /sys/fs/cgroup && mount -t cgroup2 -o nsdelegate cgroup2 /sys/fs/cgroup
exec /sbin/init "$@"
