import { resolve } from 'node:path';
import type { PromisifiedBus } from 'i2c-bus';
import { ErichtError, reasonOf } from '../../lib/errors.ts';
import { Turns } from '../../lib/turns.ts';
import { deviceCall } from '../device-calls.ts';
import { toBusError } from './bus-error.ts';
import type { I2cBus } from './port.ts';

/** Loads the addon; passed in so that a test can stand for a machine without it. */
export type LoadAddon = () => Promise<{ openPromisified(busNumber: number): Promise<PromisifiedBus> }>;

/** Of the process: no transfer may share the outcome of another. */
let transfers = 0;

const loadI2cBus: LoadAddon = async () => (await import('i2c-bus')).default;

/**
 * A Linux I2C bus through i2c-dev, without ever forcing a chip from a kernel driver. One transfer at a time, and after
 * any failure everything is closed and opened anew: i2c-bus keeps a descriptor even if setting its address failed, and
 * would then talk to whatever chip answers at address 0. A bus that hangs keeps one of the threads that devices may have.
 */
export class LinuxI2cBus implements I2cBus {
  readonly #busNumber: number;
  readonly #load: LoadAddon;
  readonly #dev: string;
  readonly #turns = new Turns();
  #opened: PromisifiedBus | undefined;

  /** `dev`: where device files are. The addon opens those of /dev, which in any other place are another machine's. */
  constructor(busNumber: number, load: LoadAddon = loadI2cBus, dev = '/dev') {
    this.#busNumber = busNumber;
    this.#load = load;
    this.#dev = dev;
  }

  async readWord(address: number, register: number): Promise<number> {
    return swap(await this.#transfer(address, (bus) => bus.readWord(address, register)));
  }

  async writeWord(address: number, register: number, word: number): Promise<void> {
    await this.#transfer(address, (bus) => bus.writeWord(address, register, swap(word)));
  }

  close(): Promise<void> {
    return this.#turns.take(() => this.#closeNow());
  }

  #transfer<T>(address: number, work: (bus: PromisifiedBus) => Promise<T>): Promise<T> {
    return this.#turns.take(async () => {
      try {
        const opened = this.#opened ?? (await this.#open());
        this.#opened = opened;
        transfers += 1;
        return await deviceCall(`i2c transfer ${transfers}`, () => work(opened));
      } catch (error) {
        await this.#closeNow();
        throw toBusError(error, this.#busNumber, address);
      }
    });
  }

  async #open(): Promise<PromisifiedBus> {
    if (resolve(this.#dev) !== '/dev') throw elsewhere(this.#dev);
    let addon: Awaited<ReturnType<LoadAddon>>;
    try {
      addon = await this.#load();
    } catch (error) {
      throw notBuilt(error);
    }
    return await addon.openPromisified(this.#busNumber);
  }

  async #closeNow(): Promise<void> {
    const bus = this.#opened;
    this.#opened = undefined;
    try {
      await bus?.close();
    } catch {
      // The adapter is gone; the descriptors are given up either way.
    }
  }
}

/** Whether the addon is there and fits this Node. */
export async function isAddonBuilt(load: LoadAddon = loadI2cBus): Promise<boolean> {
  try {
    await load();
    return true;
  } catch {
    return false;
  }
}

/** SMBus words are least significant byte first, the INA226 sends the other way round. */
function swap(word: number): number {
  return ((word & 0xff) << 8) | (word >> 8);
}

function elsewhere(dev: string): ErichtError {
  return new ErichtError('SENSOR_UNREADABLE', {
    what: 'cannot use I2C directly',
    why: `chips are read only where path.dev is /dev, and it is ${dev}`,
  });
}

function notBuilt(error: unknown): ErichtError {
  const otherNode = reasonOf(error).includes('NODE_MODULE_VERSION');
  return new ErichtError('SENSOR_UNREADABLE', {
    what: 'cannot use I2C directly',
    why: otherNode ? 'i2c-bus is built for another Node' : "i2c-bus isn't built",
    next: 'run npm run build:i2c',
    cause: error,
  });
}
