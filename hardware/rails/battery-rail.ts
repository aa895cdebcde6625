import { basename, join } from 'node:path';
import { ErichtError } from '../../lib/errors.ts';
import { listKernelDirectory, readKernelNumber, readKernelText } from '../kernel-file.ts';
import type { RailFinding, RailReader, RailReading } from '../rail-reader.ts';

/**
 * What a laptop draws from its battery. Only while it discharges: the battery's own meter doesn't see what the mains
 * give. Source: the kernel's Documentation/ABI/testing/sysfs-class-power (µV, µA, µW).
 */
export class BatteryRail implements RailReader {
  readonly label: string;
  readonly measures = 'board';
  readonly source = 'battery';
  readonly location: string;
  readonly #directory: string;

  constructor(label: string, directory: string) {
    this.label = label;
    this.#directory = directory;
    this.location = `power supply ${basename(directory)}`;
  }

  async find(): Promise<RailFinding> {
    const status = await readKernelText(join(this.#directory, 'status')).catch(() => undefined);
    if (status === undefined) return { found: false, detail: `battery ${basename(this.#directory)} is gone` };
    return { found: true, detail: `battery ${basename(this.#directory)}, measured while it discharges` };
  }

  async read(signal?: AbortSignal): Promise<RailReading> {
    const status = await readKernelText(join(this.#directory, 'status'), signal);
    if (status === undefined) {
      throw new ErichtError('SENSOR_UNREADABLE', { what: `battery ${basename(this.#directory)} is gone` });
    }
    if (status !== 'Discharging') return { absent: `${wordsFor(status)}: discharge not measured` };
    const [microvolts, microamperes, microwatts] = await Promise.all([
      readKernelNumber(join(this.#directory, 'voltage_now'), signal),
      readKernelNumber(join(this.#directory, 'current_now'), signal),
      readKernelNumber(join(this.#directory, 'power_now'), signal),
    ]);
    if (microvolts === undefined || microvolts <= 0) return { absent: "the battery doesn't tell its voltage" };
    // The sign of a discharge differs between drivers; here it is known to be one.
    const powerWatts =
      microwatts === undefined
        ? microamperes === undefined
          ? undefined
          : (Math.abs(microamperes) * microvolts) / 1e12
        : Math.abs(microwatts) / 1e6;
    if (powerWatts === undefined) return { absent: 'the battery tells neither power nor current' };
    const busVolts = microvolts / 1e6;
    return { busVolts, powerWatts, currentAmperes: powerWatts / busVolts };
  }

  async close(): Promise<void> {}
}

function wordsFor(status: string): string {
  if (status === 'Charging') return 'charging';
  if (status === 'Full' || status === 'Not charging') return 'on mains power';
  return 'the battery is in an unknown state';
}

/** The batteries that feed this machine; those of mice and headsets have the scope "Device". */
export async function findBatteries(sysfs: string): Promise<BatteryRail[]> {
  const root = join(sysfs, 'class/power_supply');
  const directories: string[] = [];
  for (const entry of await listKernelDirectory(root)) {
    const directory = join(root, entry);
    // A gauge that doesn't answer must not take the chips of others away.
    const text = (name: string) => readKernelText(join(directory, name)).catch(() => undefined);
    if ((await text('type')) !== 'Battery' || (await text('scope')) === 'Device') continue;
    directories.push(directory);
  }
  return directories.map(
    (directory, index) => new BatteryRail(index === 0 ? 'battery' : `battery-${index + 1}`, directory),
  );
}
