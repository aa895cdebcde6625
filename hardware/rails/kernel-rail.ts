import { reasonOf } from '../../lib/errors.ts';
import type { RailCounts, RailFinding, RailMeasures, RailReader, RailReading } from '../rail-reader.ts';
import { HwmonValues } from './hwmon-values.ts';
import { IioValues } from './iio-values.ts';
import { type IsKernels, KernelAttributes, unreadable } from './kernel-attributes.ts';
import { findHwmonChips, findIioChips, type KernelChip, type KernelWay } from './kernel-chips.ts';
import type { KernelValues } from './kernel-values.ts';
import { ShuntCorrection } from './shunt-correction.ts';

export interface KernelRailOptions {
  way: KernelWay;
  label: string;
  measures: RailMeasures;
  sysfs: string;
  /** "1-0040". */
  device: string;
  /** The shunt as configured, where it is; the kernel scales by what its device tree says, or by 10 mΩ. */
  shuntOhms?: number | undefined;
  intervalMs: number;
  isKernels?: IsKernels | undefined;
}

const WAYS = {
  hwmon: { find: findHwmonChips, Values: HwmonValues, words: 'the kernel' },
  iio: { find: findIioChips, Values: IioValues, words: "the kernel's IIO" },
};

/** The kernel's hwmon interface tells whole milliamperes, of the shunt that the driver reckons with. */
const HWMON_STEP_AMPERES = 0.001;

interface Opened {
  chip: KernelChip;
  attributes: KernelAttributes;
  values: KernelValues;
}

/** A rail through one of the kernel's two drivers for these chips. */
export class KernelRail implements RailReader {
  readonly label: string;
  readonly measures: RailMeasures;
  readonly source: KernelWay;
  readonly #options: KernelRailOptions;
  #opened: Opened | undefined;
  #shunt: ShuntCorrection;
  #resets = 0;
  #settingsLost = false;

  constructor(options: KernelRailOptions) {
    this.label = options.label;
    this.measures = options.measures;
    this.source = options.way;
    this.#options = options;
    this.#shunt = new ShuntCorrection(options.shuntOhms, undefined);
  }

  get location(): string {
    return `${this.source} device ${this.#options.device}`;
  }

  get shuntOhms(): number | undefined {
    return this.#shunt.ohms;
  }

  get stepVolts(): number | undefined {
    const { kernelOhms } = this.#shunt;
    return this.source === 'hwmon' && kernelOhms !== undefined ? HWMON_STEP_AMPERES * kernelOhms : undefined;
  }

  /** hwmon mends a chip that lost its settings without telling. */
  get counts(): RailCounts {
    return this.source === 'iio' ? { resets: this.#resets } : {};
  }

  async find(): Promise<RailFinding> {
    const { sysfs, device, shuntOhms, intervalMs } = this.#options;
    const { find, words } = WAYS[this.source];
    try {
      const chip = (await find(sysfs)).find((each) => each.device === device);
      if (!chip) {
        this.#close();
        return { found: false, detail: `the kernel has no power chip ${device}` };
      }
      const opened = this.#open(chip);
      this.#shunt = new ShuntCorrection(shuntOhms, await opened.values.shuntOhms());
      const windowMs = await opened.values.average(intervalMs);
      const averaged = windowMs === undefined ? '' : `, averaged over ${Number(windowMs.toPrecision(3))} ms`;
      return { found: true, detail: `${chip.name} ${device} through ${words}${this.#shunt.words}${averaged}` };
    } catch (error) {
      return { found: false, detail: `${device} can't be read: ${reasonOf(error)}` };
    }
  }

  async read(): Promise<RailReading> {
    const { device } = this.#options;
    if (!this.#opened) throw unreadable(device, 'the kernel has no such power chip');
    const reading = await this.#opened.values.read();
    if ('saturated' in reading) return reading;
    if ('settingsLost' in reading) return this.#tellLost();
    if ('unsure' in reading) return { absent: reading.unsure };
    this.#settingsLost = false;
    const powerWatts = reading.powerWatts * this.#shunt.factor;
    return {
      busVolts: reading.busVolts,
      currentAmperes: reading.currentAmperes * this.#shunt.factor,
      powerWatts: reading.currentAmperes < 0 && powerWatts !== 0 ? -powerWatts : powerWatts,
    };
  }

  async close(): Promise<void> {
    this.#close();
  }

  /** A chip that is where it was keeps its open files, so that looking again doesn't disturb a reading beside it. */
  #open(chip: KernelChip): Opened {
    if (this.#opened?.chip.directory === chip.directory) return this.#opened;
    this.#close();
    const attributes = new KernelAttributes(chip, this.#options.isKernels);
    const opened = { chip, attributes, values: new WAYS[this.source].Values(chip, attributes) };
    this.#opened = opened;
    return opened;
  }

  #close(): void {
    this.#opened?.attributes.close();
    this.#opened = undefined;
  }

  #tellLost(): RailReading {
    if (!this.#settingsLost) this.#resets += 1;
    this.#settingsLost = true;
    const { device } = this.#options;
    return { absent: `the chip ${device} lost its settings, which its driver doesn't mend: unbind and bind it again` };
  }
}
