import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { realMounts } from '../../../agent/samplers/mounts.ts';
import { StorageSampler, statDirectory } from '../../../agent/samplers/storage.ts';

t.test('pseudo, network and image file systems are no storage', async (t) => {
  const lines = [
    'proc /proc proc rw 0 0',
    'tmpfs /run tmpfs rw 0 0',
    'cgroup2 /sys/fs/cgroup cgroup2 rw 0 0',
    '10.0.0.5:/export /mnt/nas nfs4 rw 0 0',
    '//nas/share /mnt/share cifs rw 0 0',
    'user@host:/ /mnt/ssh fuse.sshfs rw 0 0',
    '/dev/loop3 /snap/core/1 squashfs ro 0 0',
    '/dev/sr0 /media/cdrom iso9660 ro 0 0',
    'overlay /var/lib/docker/overlay2/a/merged overlay rw 0 0',
    '',
    'short',
  ];
  t.same(realMounts(lines.join('\n')), []);
});

t.test('disks, ZFS and the root of a container are, each once under its shortest path', async (t) => {
  const lines = [
    '/dev/sda2 /var/lib/docker ext4 rw 0 0',
    '/dev/sda2 / ext4 rw 0 0',
    '/dev/nvme0n1p1 /data btrfs rw,subvol=/data 0 0',
    '/dev/nvme0n1p1 /data/sub btrfs rw,subvol=/sub 0 0',
    'tank/home /home zfs rw 0 0',
    '/dev/sdb1 /mnt/usb\\040stick vfat rw 0 0',
  ];
  t.same(
    realMounts(lines.join('\n')).map(({ path }) => path),
    ['/', '/data', '/home', '/mnt/usb stick'],
  );
  t.same(
    realMounts('overlay / overlay rw 0 0\n/dev/sda2 /etc/hosts ext4 rw 0 0'),
    [
      { device: '/dev/sda2', path: '/etc/hosts', type: 'ext4' },
      { device: 'overlay', path: '/', type: 'overlay' },
    ].toSorted((a, b) => (a.path < b.path ? -1 : 1)),
  );
});

t.test('a mount that is denied does not take the others with it; a file over a file is no disk', async (t) => {
  const root = t.testdir({ proc: { self: {} } });
  mkdirSync(join(root, 'disk'));
  writeFileSync(join(root, 'hosts'), '');
  const lines = [
    '/dev/a /no/such/place ext4 rw 0 0',
    `/dev/b ${root}/disk ext4 rw 0 0`,
    `/dev/c ${root}/hosts ext4 rw 0 0`,
  ];
  writeFileSync(join(root, 'proc/self/mounts'), lines.join('\n'));
  // Not this system's /proc, but its disks: what it takes to ask the real system about a made-up list.
  const sampler = new StorageSampler(
    { procfs: join(root, 'proc'), sysfs: join(root, 'sys') },
    { platform: 'linux', statFileSystem: statDirectory },
  );
  const { storage } = await sampler.sample();
  t.equal(storage?.mounts.length, 1);
  const [mount] = storage!.mounts;
  t.match(mount, { path: `${root}/disk`, device: '/dev/b' });
  t.ok(mount!.totalBytes > 0 && mount!.availableBytes <= mount!.totalBytes);
});

t.test("another system's mounts are not looked up in this one", async (t) => {
  const sampler = new StorageSampler({ procfs: '/recorded/proc', sysfs: '/recorded/sys' }, { platform: 'linux' });
  t.match(await sampler.find(), { found: false, detail: /mounts that aren't ours/ });
});

t.test('where there is no /proc the root is measured', async (t) => {
  const sampler = new StorageSampler({ procfs: '/proc', sysfs: '/nothing' }, { platform: 'darwin' });
  t.match(await sampler.find(), { found: true, detail: '/' });
  const { storage } = await sampler.sample();
  t.match(storage?.mounts, [{ path: '/', totalBytes: Number, availableBytes: Number }]);
});
