import type { Clock } from '../../lib/clock.ts';
import { isAddonBuilt, LinuxI2cBus } from '../i2c/linux.ts';
import type { I2cBus } from '../i2c/port.ts';
import { listKernelDirectory } from '../kernel-file.ts';
import type { RailReader, RailSettings } from '../rail-reader.ts';
import { findBatteries } from './battery-rail.ts';
import { Ina226Rail } from './ina226-rail.ts';
import type { IsKernels } from './kernel-attributes.ts';
import { findKernelChips, i2cDeviceName } from './kernel-chips.ts';
import { KernelRail } from './kernel-rail.ts';

export interface RailFinderOptions {
  sysfs: string;
  dev: string;
  /** Rails of the configuration, in its order. */
  settings: RailSettings[];
  intervalMs: number;
  clock: Clock;
  /** Opens a bus by number; a real one unless a test says otherwise. */
  openBus?: (busNumber: number) => I2cBus;
  /** Whether a driver's setting is the kernel's own, and may be changed. */
  isKernels?: IsKernels;
}

/**
 * Which rails this board has, and by which way in: a chip that a kernel driver serves is read there (hwmon, else IIO) and
 * never touched on the bus; else a configured chip is read over I2C. What the driver serves beyond the configuration is a
 * rail, too.
 */
export class RailFinder {
  readonly #options: RailFinderOptions;
  readonly #openBus: (busNumber: number) => I2cBus;
  readonly #buses = new Map<number, I2cBus>();
  readonly #readers = new Map<string, RailReader>();

  constructor(options: RailFinderOptions) {
    this.#options = options;
    this.#openBus = options.openBus ?? ((busNumber) => new LinuxI2cBus(busNumber, undefined, options.dev));
  }

  /** Readers that were found before are the same objects again: their counts and settings go on. */
  async look(): Promise<RailReader[]> {
    const { sysfs, dev, settings, intervalMs, clock, isKernels } = this.#options;
    const served = new Map((await findKernelChips(sysfs)).map((chip) => [chip.device, chip]));
    const rails: RailReader[] = [];
    for (const rail of settings) {
      const device = i2cDeviceName(rail.bus, rail.address);
      const chip = served.get(device);
      served.delete(device);
      const { label, measures, shuntOhms } = rail;
      rails.push(
        this.#keep(
          chip
            ? new KernelRail({ way: chip.way, label, measures, sysfs, device, shuntOhms, intervalMs, isKernels })
            : new Ina226Rail({ settings: rail, bus: this.#busOf(rail.bus), intervalMs, dev, sysfs, clock }),
        ),
      );
    }
    const configured = new Set(settings.map(({ label }) => label));
    for (const { way, name, device } of served.values()) {
      const label = configured.has(`${name}-${device}`) ? `${way}-${device}` : `${name}-${device}`;
      rails.push(this.#keep(new KernelRail({ way, label, measures: 'board', sysfs, device, intervalMs, isKernels })));
    }
    const labels = new Set(rails.map(({ label }) => label));
    for (const battery of await findBatteries(sysfs)) {
      if (!labels.has(battery.label)) rails.push(this.#keep(battery));
    }
    this.#release(rails);
    return rails;
  }

  /** Why look() finds nothing, and what a person can do about it. */
  async whyNone(): Promise<string> {
    const buses = (await listKernelDirectory(this.#options.dev)).filter((name) => /^i2c-\d+$/.test(name));
    if (buses.length === 0) return 'no power source: no INA226, no I2C bus, no battery';
    const found = `no INA226 is configured; I2C buses here: ${buses.slice(0, 8).join(', ')}`;
    return (await isAddonBuilt()) ? found : `${found}; i2c-bus isn't built: run npm run build:i2c`;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#readers.values()].map((reader) => reader.close()));
  }

  /** A chip that a driver has taken meanwhile is not polled beside it. A bus that hangs is not waited for. */
  #release(rails: RailReader[]): void {
    for (const reader of this.#readers.values()) if (!rails.includes(reader)) void reader.close();
  }

  #keep(reader: RailReader): RailReader {
    const key = `${reader.source} ${reader.location} ${reader.label}`;
    const known = this.#readers.get(key);
    if (known) return known;
    this.#readers.set(key, reader);
    return reader;
  }

  #busOf(busNumber: number): I2cBus {
    const known = this.#buses.get(busNumber);
    if (known) return known;
    const bus = this.#openBus(busNumber);
    this.#buses.set(busNumber, bus);
    return bus;
  }
}
