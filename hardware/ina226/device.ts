import { ErichtError } from '../../lib/errors.ts';
import { formatAddress, type I2cBus } from '../i2c/port.ts';
import type { RailReading } from '../rail-reader.ts';
import type { Averaging } from './averaging.ts';
import { CALIBRATION, CONVERSION_READY, decodeReading, isIna226, Register } from './registers.ts';

export interface Ina226Options {
  bus: I2cBus;
  address: number;
  shuntOhms: number;
  averaging: Averaging;
}

/** One INA226 over I2C. Calls must not overlap. */
export class Ina226 {
  readonly #bus: I2cBus;
  readonly #address: number;
  readonly #shuntOhms: number;
  readonly #averaging: Averaging;
  #setUp = false;
  #firstWindowDone = false;
  #resets = 0;

  constructor({ bus, address, shuntOhms, averaging }: Ina226Options) {
    this.#bus = bus;
    this.#address = address;
    this.#shuntOhms = shuntOhms;
    this.#averaging = averaging;
  }

  /** How often the chip was found with its settings lost, as a brown-out leaves it. */
  get resets(): number {
    return this.#resets;
  }

  /** Checks identity and settings; writes the settings only where they differ, because a write halts the conversion. */
  async prepare(): Promise<void> {
    const manufacturer = await this.#read(Register.manufacturer);
    const die = await this.#read(Register.die);
    if (!isIna226(manufacturer, die)) {
      throw new ErichtError('SENSOR_UNREADABLE', {
        what: `the chip at ${formatAddress(this.#address)} is not an INA226`,
        why: `it says ${hex(manufacturer)} and ${hex(die)}, an INA226 says 5449h and 226xh`,
        next: 'check the address',
      });
    }
    if (await this.#hasSettings()) return;
    if (this.#setUp) this.#resets += 1;
    await this.#writeSettings();
  }

  /**
   * The newest window. The settings are read after the values: had the chip been reset in between, the values would be
   * plausible and wrong, so that they are given up.
   */
  async read(): Promise<RailReading> {
    const ready = this.#firstWindowDone || ((await this.#read(Register.mask)) & CONVERSION_READY) !== 0;
    const shunt = await this.#read(Register.shunt);
    const bus = await this.#read(Register.bus);
    const power = await this.#read(Register.power);
    if (!(await this.#hasSettings())) {
      this.#resets += 1;
      await this.#writeSettings();
      return { absent: 'the chip had lost its settings (its supply broke down) and was set up again' };
    }
    if (!ready) return { absent: 'the first averaging window is not over' };
    this.#firstWindowDone = true;
    return decodeReading({ shunt, bus, power }, this.#shuntOhms);
  }

  async #hasSettings(): Promise<boolean> {
    const configuration = await this.#read(Register.configuration);
    const calibration = await this.#read(Register.calibration);
    return configuration === this.#averaging.configuration && calibration === CALIBRATION;
  }

  /** Calibration first: the first window after the configuration is then scaled by it. Reading the flag clears it. */
  async #writeSettings(): Promise<void> {
    this.#firstWindowDone = false;
    await this.#bus.writeWord(this.#address, Register.calibration, CALIBRATION);
    await this.#bus.writeWord(this.#address, Register.configuration, this.#averaging.configuration);
    await this.#read(Register.mask);
    if (!(await this.#hasSettings())) {
      throw new ErichtError('SENSOR_UNREADABLE', {
        what: `the chip at ${formatAddress(this.#address)} doesn't keep its settings`,
        next: 'check its supply and the wiring',
      });
    }
    this.#setUp = true;
  }

  #read(register: number): Promise<number> {
    return this.#bus.readWord(this.#address, register);
  }
}

function hex(word: number): string {
  return `${word.toString(16).toUpperCase().padStart(4, '0')}h`;
}
