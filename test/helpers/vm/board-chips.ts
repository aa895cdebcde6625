import type { BoardShell } from './board-shell.ts';

/** Registers by number; words as the datasheet writes them. */
export type Words = Record<number, number>;

/** As many as the stand-in can play. */
export const CHIP_ADDRESSES: readonly number[] = [...Array(10).keys()].map((index) => 0x40 + index);

/** What an INA226 shows of one load over one shunt. */
export interface Load {
  /** Signed register value, in steps of 2.5 µV. */
  shunt: number;
  /** Register value, in steps of 1.25 mV. */
  bus: number;
}

/**
 * The registers of a chip with the calibration 2048 under this load, by the arithmetic of its datasheet (SBOS547B, 7.5):
 * current = shunt × 2048 / 2048, power = |current| × bus / 20000. Ready, with as many fixed bits as a test needs.
 */
export function measuring({ shunt, bus }: Load): Words {
  return {
    1: shunt & 0xffff,
    2: bus,
    3: Math.trunc((Math.abs(shunt) * bus) / 20_000),
    4: shunt & 0xffff,
    6: 0x0008,
  };
}

/** What the identity registers of every INA226 say. */
export const IDENTITY: Words = { 254: 0x5449, 255: 0x2260 };

/** Configuration and calibration after a loss of supply; the results go with them. */
export const POWER_ON: Words = { 0: 0x4127, 1: 0, 2: 0, 3: 0, 4: 0, 5: 0, 6: 0 };

/** The stand-in INA226s on the board's I2C bus. */
export class BoardChips {
  readonly #shell: BoardShell;

  constructor(shell: BoardShell) {
    this.#shell = shell;
  }

  async bus(): Promise<number> {
    return Number(await this.#shell.run('chip bus'));
  }

  /** Sets registers of each address, also while a driver has the chip. */
  async write(chips: Map<number, Words>): Promise<void> {
    const lines = [...chips].map(([address, words]) => {
      const pairs = Object.entries(words).map(([register, word]) => `${hex(Number(register))}=${hex(word)}`);
      return `chip write ${hex(address)} ${pairs.join(' ')}`;
    });
    await this.#shell.run(lines.join('\n'));
  }

  async read(address: number, registers: number[]): Promise<number[]> {
    const output = await this.#shell.run(`chip read ${hex(address)} ${registers.map(hex).join(' ')}`);
    return output.split('\n').map(Number);
  }

  /** Lets the kernel's driver of this name have them; drivers rewrite configuration and calibration. */
  async bind(addresses: readonly number[], name = 'ina226'): Promise<void> {
    await this.#shell.run(`chip bind ${name} ${addresses.map(hex).join(' ')}`);
  }

  async unbind(addresses: readonly number[]): Promise<void> {
    await this.#shell.run(`chip unbind ${addresses.map(hex).join(' ')}`);
  }

  /** All files of their kernel devices that match, by address and file name: {0x40: {in_power2_raw: "12"}}. */
  async kernelFiles(pattern: string): Promise<Map<number, Record<string, string>>> {
    const found = new Map<number, Record<string, string>>();
    const output = await this.#shell.run(`grep -H . /sys/bus/i2c/devices/*-00*/${pattern}`);
    for (const line of output.split('\n')) {
      const [, address, file, value] = /-(00[0-9a-f]{2})\/.*\/([^/:]+):(.*)$/.exec(line) ?? [];
      if (address === undefined || file === undefined) throw new Error(`unexpected: ${line}`);
      const key = Number.parseInt(address, 16);
      found.set(key, { ...found.get(key), [file]: value ?? '' });
    }
    return found;
  }
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(2, '0')}`;
}
