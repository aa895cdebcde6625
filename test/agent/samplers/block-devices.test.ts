import { join } from 'node:path';
import t from 'tap';
import { readBlockDevices, wearOf } from '../../../agent/samplers/block-devices.ts';
import { StorageSampler } from '../../../agent/samplers/storage.ts';
import { reportSchema } from '../../../telemetry/report.ts';

/** reads merged sectors ms, writes merged sectors ms, in flight, ms, weighted ms, then discards and flushes. */
const stat = (sectorsWritten: number) =>
  `   12034     4021   901234     8211    55821    61234  ${sectorsWritten}   123456        0    91234   131667        0        0        0        0      812     3321\n`;

const tree = {
  block: {
    loop0: { stat: stat(1) },
    mmcblk0: { stat: stat(2048), device: { type: 'SD\n', name: 'SD64G\n', life_time: '0x09 0x09\n' } },
    mmcblk1: {
      stat: stat(20_000_000),
      device: { type: 'MMC\n', name: 'A3A564\n', life_time: '0x01 0x09\n', pre_eol_info: '0x02\n' },
    },
    mmcblk1boot0: { stat: stat(1) },
    nvme0n1: { stat: stat(4), device: { model: 'Samsung SSD 980 1TB                     \n' } },
    sda: { stat: 'not a line of numbers\n', device: { model: 'Portable SSD T7 \n' } },
    zram0: { stat: stat(1) },
  },
};

t.test('disks and cards are told with what was written to them; wear by an eMMC alone', async (t) => {
  const devices = await readBlockDevices(t.testdir(tree));
  t.same(devices, [
    { name: 'mmcblk0', model: 'SD64G', writtenBytes: 1_048_576 },
    { name: 'mmcblk1', model: 'A3A564', lifeUsedRatio: 0.9, preEndOfLife: 'warning', writtenBytes: 10_240_000_000 },
    { name: 'nvme0n1', model: 'Samsung SSD 980 1TB', writtenBytes: 2048 },
    { name: 'sda', model: 'Portable SSD T7' },
  ]);
  t.ok(reportSchema.partial().safeParse({ storage: { mounts: [], devices } }).success, 'as the contract has them');
  t.same(await readBlockDevices(join(t.testdirName, 'nothing')), []);
});

t.test('wear is the upper end of what the chip tells, and absent where it tells none', async (t) => {
  t.same(wearOf('0x01 0x01', '0x01'), { lifeUsedRatio: 0.1, preEndOfLife: 'normal' });
  t.same(wearOf('0x0a 0x00', '0x03'), { lifeUsedRatio: 1, preEndOfLife: 'urgent' });
  t.same(wearOf('0x02 0x0b', '0x02'), { lifeUsedRatio: 1.1, preEndOfLife: 'warning' });
  for (const [lifeTime, preEol] of [
    ['0x00 0x00', '0x00'],
    [undefined, undefined],
    ['', ''],
    ['0x0c 0xff', '0x09'],
    ['garbage', 'garbage'],
  ]) {
    t.same(wearOf(lifeTime, preEol), {}, `${lifeTime}`);
  }
});

t.test("of another system's record the disks are told, its file systems are not looked up in this one", async (t) => {
  const root = t.testdir({ sys: tree, proc: { self: { mounts: '/dev/sda2 / ext4 rw 0 0\n' } } });
  const sampler = new StorageSampler({ procfs: join(root, 'proc'), sysfs: join(root, 'sys') }, { platform: 'linux' });
  t.match(await sampler.find(), {
    found: true,
    detail: /^mmcblk0, mmcblk1, nvme0n1, sda; file systems not measured: /,
  });
  const { storage } = await sampler.sample();
  t.same(storage?.mounts, []);
  t.equal(storage?.devices?.length, 4);
});
