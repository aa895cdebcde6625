import { join } from 'node:path';
import { listKernelDirectory, readKernelText } from '../../hardware/kernel-file.ts';
import type { Report } from '../../telemetry/report.ts';

export type BlockDevice = NonNullable<NonNullable<Report['storage']>['devices']>[number];

/** Disks and cards; not their partitions, nor an eMMC's boot areas, nor what is made of memory, files or other disks. */
const DEVICE = /^(mmcblk\d+|nvme\d+n\d+|sd[a-z]+|vd[a-z]+|xvd[a-z]+)$/;

const MOST_DEVICES = 16;

/** The kernel counts in these, whatever the device's own sectors are. */
const SECTOR_BYTES = 512;

/**
 * Disks and cards with what the kernel tells any user. Wear is told by an eMMC, as it was at the board's start: the
 * kernel keeps what the chip said then. SD cards tell none; an NVMe's takes root (an ioctl), hence it is absent, too.
 */
export async function readBlockDevices(sysfs: string, signal?: AbortSignal): Promise<BlockDevice[]> {
  const root = join(sysfs, 'block');
  const names = (await listKernelDirectory(root)).filter((name) => DEVICE.test(name)).slice(0, MOST_DEVICES);
  const devices: BlockDevice[] = [];
  for (const name of names) {
    const directory = join(root, name);
    const text = async (file: string) => await readKernelText(join(directory, file), signal);
    const isCard = name.startsWith('mmcblk');
    const model = await text(isCard ? 'device/name' : 'device/model');
    const writtenBytes = writtenOf(await text('stat'));
    devices.push({
      name: name.slice(0, 63),
      ...(model ? { model: model.slice(0, 255) } : {}),
      ...(isCard && (await text('device/type')) === 'MMC'
        ? wearOf(await text('device/life_time'), await text('device/pre_eol_info'))
        : {}),
      ...(writtenBytes === undefined ? {} : { writtenBytes }),
    });
  }
  return devices;
}

/** Source: the kernel's Documentation/block/stat.rst; the seventh number is sectors written. */
function writtenOf(stat: string | undefined): number | undefined {
  const sectors = Number(stat?.split(/ +/)[6] ?? Number.NaN);
  const bytes = sectors * SECTOR_BYTES;
  return Number.isSafeInteger(bytes) && bytes >= 0 ? bytes : undefined;
}

/** By the number of pre_eol_info; 0 is "not defined". Source: JEDEC JESD84-B51, PRE_EOL_INFO. */
const PRE_END_OF_LIFE = [undefined, 'normal', 'warning', 'urgent'] as const;

/**
 * life_time is "0x01 0x02": tenths of the rated life for two kinds of cells (A: single-level, B: multi-level), of which
 * the worse counts: 1 is up to 10 % used, 10 up to 100 %, 11 more than that. Source: JESD84-B51, DEVICE_LIFE_TIME_EST.
 */
export function wearOf(
  lifeTime: string | undefined,
  preEol: string | undefined,
): Pick<BlockDevice, 'lifeUsedRatio' | 'preEndOfLife'> {
  const tenths = Math.max(
    0,
    ...(lifeTime ?? '')
      .split(/\s+/)
      .map(Number)
      .filter((value) => value >= 1 && value <= 11),
  );
  const preEndOfLife = PRE_END_OF_LIFE[Number(preEol ?? 0)];
  return { ...(tenths > 0 ? { lifeUsedRatio: tenths / 10 } : {}), ...(preEndOfLife ? { preEndOfLife } : {}) };
}
