import { statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ErichtError, reasonOf } from '../../lib/errors.ts';
import { KernelFile, readKernelNumber } from '../kernel-file.ts';
import type { KernelChip } from './kernel-chips.ts';

/** The type of sysfs in statfs(2). */
const SYS_FS = 0x62656572;

/** Whether a file is the kernel's: what is set in a recorded tree would only spoil the record. */
export type IsKernels = (path: string) => Promise<boolean>;

export const isSysfs: IsKernels = async (path) => (await statfs(path)).type === SYS_FS;

/** The files that a driver makes of one chip. Each value is a transfer on the chip's bus. */
export class KernelAttributes {
  readonly #chip: KernelChip;
  readonly #isKernels: IsKernels;
  readonly #files = new Map<string, KernelFile>();

  constructor(chip: KernelChip, isKernels: IsKernels = isSysfs) {
    this.#chip = chip;
    this.#isKernels = isKernels;
  }

  /** A value that is read again and again. Rejects with SENSOR_UNREADABLE where there is none. */
  async value(name: string): Promise<number> {
    let file = this.#files.get(name);
    if (!file) {
      file = new KernelFile(this.#path(name), { asksDevice: true });
      this.#files.set(name, file);
    }
    const number = await this.#asked(() => file.number());
    if (number === undefined) throw unreadable(this.#chip.device, `the driver gives no ${name}`);
    return number;
  }

  /** A setting, asked once; undefined where the driver has none. */
  setting(name: string): Promise<number | undefined> {
    return this.#asked(() => readKernelNumber(this.#path(name)));
  }

  /** False where it may not be set: attributes belong to root, as a rule. */
  async set(name: string, value: number): Promise<boolean> {
    const path = this.#path(name);
    try {
      if (!(await this.#isKernels(path))) return false;
      await writeFile(path, String(value), { flag: 'r+' });
      return true;
    } catch {
      // Denied, or a driver without it: the chip is read as it is.
      return false;
    }
  }

  close(): void {
    for (const file of this.#files.values()) file.close();
  }

  async #asked<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      throw unreadable(this.#chip.device, reasonOf(error), error);
    }
  }

  #path(name: string): string {
    return join(this.#chip.directory, name);
  }
}

export function unreadable(device: string, why: string, cause?: unknown): ErichtError {
  return new ErichtError('SENSOR_UNREADABLE', { what: `cannot read power chip ${device}`, why, cause });
}
