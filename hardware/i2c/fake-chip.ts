import type { Clock } from '../../lib/clock.ts';
import { windowMsOf } from '../ina226/averaging.ts';
import { Register } from '../ina226/registers.ts';
import { toBusError } from './bus-error.ts';
import { FakeAdc, type Load } from './fake-adc.ts';
import type { I2cBus } from './port.ts';

export type { Load } from './fake-adc.ts';

const POWER_ON_CONFIGURATION = 0x4127;
const CONVERSION_READY = 0x0008;

/** Windows that end by themselves as time goes by. */
export interface FakeTiming {
  clock: Clock;
  /** Of the chip's oscillator: 0.9 makes its windows a tenth shorter than typical. Default 1. */
  lengthFactor?: number;
}

/**
 * Behaves like one INA226 on a bus: registers at their power-on values, results computed from a load with the chip's
 * integer arithmetic (SBOS547B, 7.5), conversion-ready cleared by reading it. With a clock it averages its load over
 * windows as long as its configuration says, begun anew by writing that; without one a window ends when a test calls
 * `convert()`. Tests give it faults.
 */
export class FakeIna226 implements I2cBus {
  readonly #address: number;
  readonly #timing: FakeTiming | undefined;
  readonly #registers = new Map<number, number>();
  readonly #adc = new FakeAdc();
  #windowBeganMs = 0;
  /** Every transfer fails with this errno: 121 is a NAK on a Raspberry Pi. */
  failWithErrno: number | undefined;
  transfers = 0;
  /** Runs before each transfer, to let something happen in the middle of a reading; a promise makes the bus hang. */
  beforeTransfer: ((register: number) => void | Promise<void>) | undefined;
  /** Of the windows since it was made. */
  windowsEnded = 0;

  constructor(address = 0x40, timing?: FakeTiming) {
    this.#address = address;
    this.#timing = timing;
    this.powerOn();
  }

  get load(): Load {
    return this.#adc.load;
  }

  /** What hangs on it from now on. */
  set load(load: Load) {
    this.#catchUp();
    this.#adc.load = load;
  }

  /** What a brown-out does: settings at their defaults, results gone. */
  powerOn(): void {
    this.#registers.clear();
    this.set(Register.configuration, POWER_ON_CONFIGURATION);
    this.set(Register.manufacturer, 0x5449);
    this.set(Register.die, 0x2260);
    this.#beginWindow();
  }

  set(register: number, word: number): void {
    this.#registers.set(register, word);
  }

  get(register: number): number {
    return this.#registers.get(register) ?? 0;
  }

  /** Ends one averaging window under the present load. */
  convert(): void {
    this.#show(this.#adc.steps());
  }

  async readWord(address: number, register: number): Promise<number> {
    await this.#answer(address, register);
    const word = this.get(register);
    if (register === Register.mask) this.set(register, word & ~CONVERSION_READY);
    return word;
  }

  async writeWord(address: number, register: number, word: number): Promise<void> {
    await this.#answer(address, register);
    if (register === Register.configuration && word & 0x8000) return this.powerOn();
    this.set(register, word);
    if (register !== Register.configuration) return;
    this.set(Register.mask, this.get(Register.mask) & ~CONVERSION_READY);
    this.#beginWindow();
  }

  async close(): Promise<void> {}

  async #answer(address: number, register: number): Promise<void> {
    this.transfers += 1;
    this.#catchUp();
    await this.beforeTransfer?.(register);
    const errno = address === this.#address ? this.failWithErrno : 121;
    if (errno !== undefined) throw toBusError({ errno }, 1, address);
    this.#catchUp();
  }

  #beginWindow(): void {
    this.#windowBeganMs = this.#timing?.clock.monotonicMs() ?? 0;
    this.#adc.begin(this.#windowBeganMs);
  }

  /** Ends the windows that are over by now; the load has been the same since this was last asked. */
  #catchUp(): void {
    if (!this.#timing) return;
    const { clock, lengthFactor = 1 } = this.#timing;
    const nowMs = clock.monotonicMs();
    const windowMs = windowMsOf(this.get(Register.configuration)) * lengthFactor;
    const ended = Math.floor((nowMs - this.#windowBeganMs) / windowMs);
    if (ended > 0) {
      const firstEndMs = this.#windowBeganMs + windowMs;
      // All but the first lie wholly under the present load.
      this.#show(ended > 1 ? this.#adc.steps() : this.#adc.mean(firstEndMs));
      this.windowsEnded += ended;
      this.#windowBeganMs += ended * windowMs;
      this.#adc.begin(this.#windowBeganMs);
    }
    this.#adc.passUntil(nowMs);
  }

  #show({ shunt, bus, product }: { shunt: number; bus: number; product: number }): void {
    const calibration = this.get(Register.calibration);
    const current = Math.trunc((shunt * calibration) / 2048);
    this.set(Register.shunt, shunt & 0xffff);
    this.set(Register.bus, bus);
    this.set(Register.current, Math.min(32_767, Math.max(-32_768, current)) & 0xffff);
    // A mean of equal samples may come out a rounding error below them.
    const power = Math.trunc((product * calibration) / 2048 / 20_000 + 1e-6);
    this.set(Register.power, Math.min(0xffff, power));
    this.set(Register.mask, this.get(Register.mask) | CONVERSION_READY);
  }
}
