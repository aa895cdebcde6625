import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface IioChip {
  /** "1-0040". */
  device: string;
  name?: string;
  /** As the driver tells it: ohms with nine decimals, or µΩ of an older one. */
  shunt?: string;
  /** Raw values: shunt, bus, power. */
  raw?: [number, number, number];
  /** Scale of power, in mW. */
  powerScale?: string;
}

/** Puts down what the kernel's IIO driver makes of one INA226 at its defaults. Returns its directory. */
export function iioChip(sysfs: string, { device, name = 'ina226', shunt, raw, powerScale }: IioChip): string {
  const own = join(sysfs, `devices/i2c-1/${device}/iio:device0`);
  mkdirSync(own, { recursive: true });
  const [shuntRaw, busRaw, powerRaw] = raw ?? [4800, 4080, 979];
  const files = {
    name,
    in_voltage0_raw: shuntRaw,
    in_voltage0_scale: '0.002500000',
    in_voltage0_integration_time: '0.001100',
    in_voltage1_raw: busRaw,
    in_voltage1_scale: '1.250000000',
    in_voltage1_integration_time: '0.001100',
    in_power2_raw: powerRaw,
    in_power2_scale: powerScale ?? '6.250000000',
    in_current3_raw: shuntRaw,
    in_current3_scale: '0.250000000',
    in_shunt_resistor: shunt ?? '0.010000000',
    in_oversampling_ratio: 4,
  };
  for (const [file, content] of Object.entries(files)) writeFileSync(join(own, file), `${content}\n`);
  const list = join(sysfs, 'bus/iio/devices');
  mkdirSync(list, { recursive: true });
  symlinkSync(own, join(list, 'iio:device0'));
  return own;
}
