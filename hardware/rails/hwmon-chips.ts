import { realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { listKernelDirectory, readKernelText } from '../kernel-file.ts';

/** Chips of the kernel's ina2xx driver that measure over an external shunt, with the shunt voltage at full scale. */
export const SHUNT_FULL_SCALE_VOLTS: Record<string, number> = {
  ina219: 0.32,
  ina220: 0.32,
  ina226: 0.0819175,
  ina230: 0.0819175,
  ina231: 0.0819175,
};

export interface HwmonChip {
  /** ina226 ... */
  name: string;
  /** The device's name on its bus, "1-0040": it stays when hwmonN changes. */
  device: string;
  /** Directory with in1_input and the rest. */
  directory: string;
}

/** All power chips that a kernel driver serves, in the order of their devices. */
export async function findHwmonChips(sysfs: string): Promise<HwmonChip[]> {
  const root = join(sysfs, 'class/hwmon');
  const chips: HwmonChip[] = [];
  for (const entry of await listKernelDirectory(root)) {
    const directory = join(root, entry);
    const name = await readKernelText(join(directory, 'name'));
    if (name === undefined || !Object.hasOwn(SHUNT_FULL_SCALE_VOLTS, name)) continue;
    chips.push({ name, directory, device: await deviceOf(directory, entry) });
  }
  return chips.toSorted((a, b) => a.device.localeCompare(b.device, 'en', { numeric: true }));
}

async function deviceOf(directory: string, entry: string): Promise<string> {
  try {
    return basename(await realpath(join(directory, 'device')));
  } catch {
    // A virtual hwmon has no device behind it; its own name is all there is.
    return entry;
  }
}

/** How the kernel names the chip at an address of a bus: "1-0040". */
export function i2cDeviceName(bus: number, address: number): string {
  return `${bus}-${address.toString(16).padStart(4, '0')}`;
}
