import { join } from 'node:path';
import { listKernelDirectory } from '../kernel-file.ts';
import { driverOf, findKernelChips, type KernelWay } from '../rails/kernel-chips.ts';

/** A chip that a kernel driver has taken: it is read through the driver and never touched on its bus. */
export interface Claim {
  bus: number;
  address: number;
  /** ina2xx, ina2xx-adc ...; absent where the kernel doesn't name it. */
  driver?: string;
  /** Where the driver offers readings, and what it calls the chip there. */
  served?: { by: KernelWay; name: string };
}

/** "1-0040": how the kernel names a chip with a 7-bit address. */
const DEVICE = /^(\d+)-00([0-9a-f]{2})$/;

/** All chips on I2C buses that a driver has taken. A device that is only declared and has no driver is not taken. */
export async function findClaims(sysfs: string): Promise<Claim[]> {
  const claims = new Map<string, Claim>();
  for (const device of await listKernelDirectory(join(sysfs, 'bus/i2c/devices'))) {
    const place = placeOf(device);
    const driver = place && (await driverOf(sysfs, place.bus, place.address));
    if (driver !== undefined) claims.set(device, { ...place!, driver });
  }
  for (const { device, name, way } of await findKernelChips(sysfs)) {
    const place = placeOf(device);
    if (place) claims.set(device, { ...place, ...claims.get(device), served: { by: way, name } });
  }
  return [...claims.values()].toSorted((a, b) => a.bus - b.bus || a.address - b.address);
}

function placeOf(device: string): { bus: number; address: number } | undefined {
  const [, bus, address] = DEVICE.exec(device) ?? [];
  if (bus === undefined || address === undefined) return undefined;
  return { bus: Number(bus), address: Number.parseInt(address, 16) };
}
