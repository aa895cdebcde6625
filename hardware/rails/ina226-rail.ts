import { access } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../lib/clock.ts';
import { ErichtError, reasonOf } from '../../lib/errors.ts';
import { formatAddress, type I2cBus } from '../i2c/port.ts';
import { averagingFor } from '../ina226/averaging.ts';
import { Ina226 } from '../ina226/device.ts';
import { WindowReader } from '../ina226/window-reader.ts';
import type { RailCounts, RailFinding, RailMeasures, RailReader, RailReading, RailSettings } from '../rail-reader.ts';
import { driverOf } from './kernel-chips.ts';

export interface Ina226RailOptions {
  settings: RailSettings;
  bus: I2cBus;
  intervalMs: number;
  /** Where device files are. */
  dev: string;
  /** Where the kernel tells who has claimed a chip. */
  sysfs: string;
  clock: Clock;
}

/** A rail through an INA226 that no kernel driver has claimed; every averaging window of it is read. */
export class Ina226Rail implements RailReader {
  readonly label: string;
  readonly measures: RailMeasures;
  readonly source = 'i2c';
  readonly location: string;
  readonly shuntOhms: number;
  readonly #settings: RailSettings;
  readonly #sysfs: string;
  readonly #node: string;
  readonly #bus: I2cBus;
  readonly #windows: WindowReader;

  constructor({ settings, bus, intervalMs, dev, sysfs, clock }: Ina226RailOptions) {
    this.label = settings.label;
    this.measures = settings.measures;
    this.shuntOhms = settings.shuntOhms;
    this.#settings = settings;
    this.#sysfs = sysfs;
    this.#node = join(dev, `i2c-${settings.bus}`);
    this.location = `${this.#node} address ${formatAddress(settings.address)}`;
    this.#bus = bus;
    const { address, shuntOhms } = settings;
    const averaging = averagingFor(intervalMs);
    const chip = new Ina226({ bus, address, shuntOhms, averaging });
    this.#windows = new WindowReader({ chip, averaging, clock });
  }

  get counts(): RailCounts {
    return this.#windows.counts;
  }

  async find(): Promise<RailFinding> {
    try {
      await this.#checkNode();
      await this.#checkUnclaimed();
      await this.#windows.start();
      return { found: true, detail: `INA226 at ${this.location}, shunt ${this.shuntOhms} ohms` };
    } catch (error) {
      return { found: false, detail: reasonOf(error) };
    }
  }

  async read(): Promise<RailReading> {
    return this.#windows.take();
  }

  async close(): Promise<void> {
    this.#windows.stop();
    await this.#bus.close();
  }

  async #checkNode(): Promise<void> {
    try {
      await access(this.#node);
    } catch {
      throw new ErichtError('SENSOR_UNREADABLE', {
        what: `there is no ${this.#node}`,
        next: "enable I2C in the board's boot configuration and load i2c-dev",
      });
    }
  }

  /** A descriptor that was opened before a driver came would still reach the chip: only the kernel's list tells. */
  async #checkUnclaimed(): Promise<void> {
    const { bus, address } = this.#settings;
    const driver = await driverOf(this.#sysfs, bus, address);
    if (driver === undefined) return;
    this.#windows.stop();
    throw new ErichtError('SENSOR_UNREADABLE', {
      what: `${formatAddress(address)} on /dev/i2c-${bus} is claimed by the kernel driver ${driver}`,
      why: 'it gives no readings of an INA226 here, and a chip is never forced from a driver',
      next: 'load ina2xx for it, or unbind the driver',
    });
  }
}
