import { realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { naturalOrder } from '../../lib/natural-order.ts';
import { listKernelDirectory, readKernelText } from '../kernel-file.ts';

/** Chips of the kernel's ina2xx drivers that measure over an external shunt, with the shunt voltage at full scale. */
export const SHUNT_FULL_SCALE_VOLTS: Record<string, number> = {
  ina219: 0.32,
  ina220: 0.32,
  ina226: 0.0819175,
  ina230: 0.0819175,
  ina231: 0.0819175,
};

/** The kernel has two drivers for these chips, of which a system has one. */
export type KernelWay = 'hwmon' | 'iio';

export interface KernelChip {
  way: KernelWay;
  /** ina226 ... */
  name: string;
  /** The device's name on its bus, "1-0040": it stays when hwmonN or iio:deviceN change. */
  device: string;
  /** Where its values are. */
  directory: string;
}

/** All power chips that a kernel driver serves: those of hwmon first, each in the order of their devices. */
export async function findKernelChips(sysfs: string): Promise<KernelChip[]> {
  return [...(await findHwmonChips(sysfs)), ...(await findIioChips(sysfs))];
}

export function findHwmonChips(sysfs: string): Promise<KernelChip[]> {
  return findChips('hwmon', join(sysfs, 'class/hwmon'), async (directory, entry) => {
    // A virtual hwmon has no device behind it; its own name is all there is.
    return (await targetOf(join(directory, 'device'))) ?? entry;
  });
}

/** A device of IIO is a directory within that of the device on its bus. */
export function findIioChips(sysfs: string): Promise<KernelChip[]> {
  return findChips('iio', join(sysfs, 'bus/iio/devices'), async (directory, entry) => {
    const real = await realpath(directory).catch(() => undefined);
    return real === undefined ? entry : basename(join(real, '..'));
  });
}

async function findChips(
  way: KernelWay,
  root: string,
  deviceOf: (directory: string, entry: string) => Promise<string>,
): Promise<KernelChip[]> {
  const chips: KernelChip[] = [];
  for (const entry of await listKernelDirectory(root)) {
    const directory = join(root, entry);
    // What isn't as the kernel makes it is no chip, and takes none away.
    const name = await readKernelText(join(directory, 'name')).catch(() => undefined);
    if (name === undefined || !Object.hasOwn(SHUNT_FULL_SCALE_VOLTS, name)) continue;
    chips.push({ way, name, directory, device: await deviceOf(directory, entry) });
  }
  return chips.toSorted((a, b) => naturalOrder(a.device, b.device));
}

/** How the kernel names the chip at an address of a bus: "1-0040". */
export function i2cDeviceName(bus: number, address: number): string {
  return `${bus}-${address.toString(16).padStart(4, '0')}`;
}

/** The kernel driver that has claimed the chip at an address; undefined where it is free. */
export function driverOf(sysfs: string, bus: number, address: number): Promise<string | undefined> {
  return targetOf(join(sysfs, 'bus/i2c/devices', i2cDeviceName(bus, address), 'driver'));
}

async function targetOf(link: string): Promise<string | undefined> {
  try {
    return basename(await realpath(link));
  } catch {
    // It isn't there.
    return undefined;
  }
}
