import { join } from 'node:path';
import { ErichtError, reasonOf } from '../../lib/errors.ts';
import { readKernelNumber } from '../kernel-file.ts';
import type { RailFinding, RailMeasures, RailReader, RailReading } from '../rail-reader.ts';
import { findHwmonChips, type HwmonChip, SHUNT_FULL_SCALE_VOLTS } from './hwmon-chips.ts';

export interface HwmonRailOptions {
  label: string;
  measures: RailMeasures;
  sysfs: string;
  /** "1-0040". */
  device: string;
  /** The shunt as configured, where it is; the kernel scales by what its device tree says, or by 10 mΩ. */
  shuntOhms?: number | undefined;
}

/** A rail through the kernel's ina2xx driver. */
export class HwmonRail implements RailReader {
  readonly label: string;
  readonly measures: RailMeasures;
  readonly source = 'hwmon';
  readonly #sysfs: string;
  readonly #device: string;
  readonly #configuredOhms: number | undefined;
  #chip: HwmonChip | undefined;
  #kernelOhms: number | undefined;

  constructor({ label, measures, sysfs, device, shuntOhms }: HwmonRailOptions) {
    this.label = label;
    this.measures = measures;
    this.#sysfs = sysfs;
    this.#device = device;
    this.#configuredOhms = shuntOhms;
  }

  get location(): string {
    return `hwmon device ${this.#device}`;
  }

  get shuntOhms(): number | undefined {
    return this.#configuredOhms ?? this.#kernelOhms;
  }

  async find(): Promise<RailFinding> {
    try {
      const chip = (await findHwmonChips(this.#sysfs)).find(({ device }) => device === this.#device);
      if (!chip) {
        this.#chip = undefined;
        return { found: false, detail: `the kernel has no power chip ${this.#device}` };
      }
      const microohms = await readKernelNumber(join(chip.directory, 'shunt_resistor'));
      this.#kernelOhms = microohms ? microohms / 1e6 : undefined;
      this.#chip = chip;
      return { found: true, detail: `${chip.name} ${this.#device} through the kernel${this.#shuntWords()}` };
    } catch (error) {
      return { found: false, detail: `${this.#device} can't be read: ${reasonOf(error)}` };
    }
  }

  async read(signal?: AbortSignal): Promise<RailReading> {
    const chip = this.#chip;
    if (!chip) throw unreadable(this.#device, 'the kernel has no such power chip');
    const value = async (file: string): Promise<number> => {
      try {
        const number = await readKernelNumber(join(chip.directory, file), signal);
        if (number !== undefined) return number;
      } catch (error) {
        throw unreadable(this.#device, reasonOf(error), error);
      }
      throw unreadable(this.#device, `the driver gives no ${file}`);
    };
    // Units of the kernel's hwmon interface: mV, mA, µW.
    const [milliamperes, microwatts, millivolts] = [
      await value('curr1_input'),
      await value('power1_input'),
      await value('in1_input'),
    ];
    if (this.#isSaturated(chip.name, milliamperes)) return { saturated: true };
    const powerWatts = (microwatts / 1e6) * this.#correction();
    return {
      busVolts: millivolts / 1000,
      currentAmperes: (milliamperes / 1000) * this.#correction(),
      powerWatts: milliamperes < 0 && powerWatts !== 0 ? -powerWatts : powerWatts,
    };
  }

  async close(): Promise<void> {}

  /** The kernel rounds to whole milliamperes, so that whatever rounds to full scale counts as full scale. */
  #isSaturated(name: string, milliamperes: number): boolean {
    if (this.#kernelOhms === undefined) return false;
    const fullScaleMilliamperes = (SHUNT_FULL_SCALE_VOLTS[name]! / this.#kernelOhms) * 1000;
    return Math.abs(milliamperes) >= Math.floor(fullScaleMilliamperes);
  }

  #correction(): number {
    if (this.#configuredOhms === undefined || this.#kernelOhms === undefined) return 1;
    return this.#kernelOhms / this.#configuredOhms;
  }

  #shuntWords(): string {
    if (this.#kernelOhms === undefined) return '';
    const kernel = `, shunt ${this.#kernelOhms} ohms`;
    return this.#correction() === 1 ? kernel : `${kernel} there, corrected to the configured ${this.#configuredOhms}`;
  }
}

function unreadable(device: string, why: string, cause?: unknown): ErichtError {
  return new ErichtError('SENSOR_UNREADABLE', { what: `cannot read power chip ${device}`, why, cause });
}
