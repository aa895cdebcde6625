import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { ErichtError, reasonOf } from '../../lib/errors.ts';
import { Turns } from '../../lib/turns.ts';
import { formatAddress, type I2cBus } from '../i2c/port.ts';
import { averagingFor } from '../ina226/averaging.ts';
import { Ina226 } from '../ina226/device.ts';
import type { RailFinding, RailMeasures, RailReader, RailReading, RailSettings } from '../rail-reader.ts';

export interface Ina226RailOptions {
  settings: RailSettings;
  bus: I2cBus;
  intervalMs: number;
  /** Where device files are. */
  dev: string;
}

/** A rail through an INA226 that no kernel driver has claimed. */
export class Ina226Rail implements RailReader {
  readonly label: string;
  readonly measures: RailMeasures;
  readonly source = 'i2c';
  readonly location: string;
  readonly shuntOhms: number;
  readonly #node: string;
  readonly #bus: I2cBus;
  readonly #chip: Ina226;
  readonly #turns = new Turns();

  constructor({ settings, bus, intervalMs, dev }: Ina226RailOptions) {
    this.label = settings.label;
    this.measures = settings.measures;
    this.shuntOhms = settings.shuntOhms;
    this.#node = join(dev, `i2c-${settings.bus}`);
    this.location = `${this.#node} address ${formatAddress(settings.address)}`;
    this.#bus = bus;
    this.#chip = new Ina226({
      bus,
      address: settings.address,
      shuntOhms: settings.shuntOhms,
      averaging: averagingFor(intervalMs),
    });
  }

  /** How often the chip was found with its settings lost. */
  get resets(): number {
    return this.#chip.resets;
  }

  async find(): Promise<RailFinding> {
    try {
      await this.#turns.take(async () => {
        await this.#checkNode();
        await this.#chip.prepare();
      });
      return { found: true, detail: `INA226 at ${this.location}, shunt ${this.shuntOhms} ohms` };
    } catch (error) {
      return { found: false, detail: reasonOf(error) };
    }
  }

  read(): Promise<RailReading> {
    return this.#turns.take(() => this.#chip.read());
  }

  async close(): Promise<void> {
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
}
