import { Register } from '../ina226/registers.ts';
import { toBusError } from './bus-error.ts';
import type { I2cBus } from './port.ts';

/** What hangs on the chip, in the units of the world. */
export interface Load {
  busVolts: number;
  shuntVolts: number;
}

const POWER_ON_CONFIGURATION = 0x4127;
const RESET_BIT = 0x8000;
const CONVERSION_READY = 0x0008;

/**
 * Behaves like one INA226 on a bus: registers at their power-on values, results computed from a load with the chip's
 * integer arithmetic (SBOS547B, 7.5), conversion-ready cleared by reading it. Tests give it faults; a conversion ends
 * when a test calls `convert()`.
 */
export class FakeIna226 implements I2cBus {
  readonly #address: number;
  readonly #registers = new Map<number, number>();
  load: Load = { busVolts: 5, shuntVolts: 0 };
  /** Every transfer fails with this errno: 121 is a NAK on a Raspberry Pi. */
  failWithErrno: number | undefined;
  transfers = 0;
  /** Runs before each transfer, to let something happen in the middle of a reading. */
  beforeTransfer: ((register: number) => void) | undefined;

  constructor(address = 0x40) {
    this.#address = address;
    this.powerOn();
  }

  /** What a brown-out does: settings at their defaults, results gone. */
  powerOn(): void {
    this.#registers.clear();
    this.set(Register.configuration, POWER_ON_CONFIGURATION);
    this.set(Register.manufacturer, 0x5449);
    this.set(Register.die, 0x2260);
  }

  set(register: number, word: number): void {
    this.#registers.set(register, word);
  }

  get(register: number): number {
    return this.#registers.get(register) ?? 0;
  }

  /** Ends one averaging window under the present load. */
  convert(): void {
    const shunt = clamp(Math.round(this.load.shuntVolts / 2.5e-6), -32768, 32767);
    const bus = clamp(Math.round(this.load.busVolts / 1.25e-3), 0, 32767);
    const current = Math.trunc((shunt * this.get(Register.calibration)) / 2048);
    this.set(Register.shunt, shunt & 0xffff);
    this.set(Register.bus, bus);
    this.set(Register.current, clamp(current, -32768, 32767) & 0xffff);
    this.set(Register.power, Math.min(0xffff, Math.trunc((Math.abs(current) * bus) / 20_000)));
    this.set(Register.mask, this.get(Register.mask) | CONVERSION_READY);
  }

  async readWord(address: number, register: number): Promise<number> {
    this.#answer(address, register);
    const word = this.get(register);
    if (register === Register.mask) this.set(register, word & ~CONVERSION_READY);
    return word;
  }

  async writeWord(address: number, register: number, word: number): Promise<void> {
    this.#answer(address, register);
    if (register === Register.configuration && word & RESET_BIT) return this.powerOn();
    if (register === Register.configuration) this.set(Register.mask, this.get(Register.mask) & ~CONVERSION_READY);
    this.set(register, word);
  }

  async close(): Promise<void> {}

  #answer(address: number, register: number): void {
    this.transfers += 1;
    this.beforeTransfer?.(register);
    const errno = address === this.#address ? this.failWithErrno : 121;
    if (errno !== undefined) throw toBusError({ errno }, 1, address);
  }
}

function clamp(value: number, low: number, high: number): number {
  return Math.min(high, Math.max(low, value));
}
