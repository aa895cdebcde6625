import { ErichtError } from '../../lib/errors.ts';
import { formatAddress, type I2cBus } from '../i2c/port.ts';
import type { Averaging } from './averaging.ts';
import {
  CALIBRATION,
  CONVERSION_READY,
  type DecodedReading,
  decodeReading,
  isIna226,
  OVERFLOW,
  Register,
} from './registers.ts';

export interface Ina226Options {
  bus: I2cBus;
  address: number;
  shuntOhms: number;
  averaging: Averaging;
}

export interface Ina226Flags {
  /** A window has ended since the flags were read last. */
  ready: boolean;
  /** Current and power of that window may be wrong. */
  overflowed: boolean;
}

/**
 * One INA226 over I2C. Calls must not overlap. `prepare()` and `read()` are all that a single look takes; whoever wants
 * every window asks `readFlags()` and then `readWindow()`, and must be the only one: reading the flags clears them.
 */
export class Ina226 {
  readonly #bus: I2cBus;
  readonly #address: number;
  readonly #shuntOhms: number;
  readonly #averaging: Averaging;
  #known = false;
  #resets = 0;
  #setUps = 0;

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

  /** How often the settings were written: each time a new window begins. */
  get setUps(): number {
    return this.#setUps;
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
    await this.ensureSettings();
  }

  /** 2 transfers; 5 more where the settings are lost. False if they were, and have been written again. */
  async ensureSettings(): Promise<boolean> {
    if (await this.#hasSettings()) {
      this.#known = true;
      return true;
    }
    // What a chip is found with at first is nothing that it has lost.
    if (this.#known) this.#resets += 1;
    await this.#writeSettings();
    return false;
  }

  /** 1 transfer. */
  async readFlags(): Promise<Ina226Flags> {
    const mask = await this.#read(Register.mask);
    const ready = (mask & CONVERSION_READY) !== 0;
    return { ready, overflowed: (mask & OVERFLOW) !== 0 };
  }

  /**
   * The newest window, in 5 transfers. The settings are read after the values: had the chip been reset in between, the
   * values would be plausible and wrong, so that they are given up: undefined. A window that ends during the transfers
   * (3 ms in 800) is read in place of the one before.
   */
  async readWindow(): Promise<DecodedReading | undefined> {
    const shunt = await this.#read(Register.shunt);
    const bus = await this.#read(Register.bus);
    const power = await this.#read(Register.power);
    if (!(await this.ensureSettings())) return undefined;
    return decodeReading({ shunt, bus, power }, this.#shuntOhms);
  }

  async #hasSettings(): Promise<boolean> {
    const configuration = await this.#read(Register.configuration);
    const calibration = await this.#read(Register.calibration);
    return configuration === this.#averaging.configuration && calibration === CALIBRATION;
  }

  /** Calibration first: the first window after the configuration is then scaled by it. Reading the flag clears it. */
  async #writeSettings(): Promise<void> {
    this.#setUps += 1;
    await this.#bus.writeWord(this.#address, Register.calibration, CALIBRATION);
    await this.#bus.writeWord(this.#address, Register.configuration, this.#averaging.configuration);
    await this.#read(Register.mask);
    if (!(await this.#hasSettings())) {
      throw new ErichtError('SENSOR_UNREADABLE', {
        what: `the chip at ${formatAddress(this.#address)} doesn't keep its settings`,
        next: 'check its supply and the wiring',
      });
    }
    this.#known = true;
  }

  #read(register: number): Promise<number> {
    return this.#bus.readWord(this.#address, register);
  }
}

function hex(word: number): string {
  return `${word.toString(16).toUpperCase().padStart(4, '0')}h`;
}
