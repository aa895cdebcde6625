import { join } from 'node:path';
import { type KernelFile, KernelFiles, listKernelDirectory, readKernelText } from '../../hardware/kernel-file.ts';
import { reasonOf } from '../../lib/errors.ts';
import type { Finding, ReportPart, Sampler, SamplerSurroundings } from '../sampler.ts';

/** Thermal zones that stand for the processor, the best first: Raspberry Pi, RK3588 by vendor and mainline, Intel. */
const PROCESSOR_ZONES = ['cpu-thermal', 'cpu_thermal', 'soc-thermal', 'package-thermal', 'x86_pkg_temp'];

/** Drivers whose first input is the whole processor (Raspberry Pi, Intel, AMD); asked where no zone is. */
const PROCESSOR_HWMON = ['cpu_thermal', 'coretemp', 'k10temp', 'zenpower'];

const MOST_ZONES = 32;

interface Zone {
  name: string;
  file: KernelFile;
}

/** Temperatures from the kernel's thermal zones, and from hwmon where none of them is the processor's. */
export class TemperatureSampler implements Sampler {
  readonly name = 'temperature';
  readonly periodMs: number;
  readonly timeoutMs = 1000;
  readonly #sysfs: string;
  readonly #files = new KernelFiles({ asksDevice: true });
  #zones: Zone[] = [];
  #processor: string | undefined;

  constructor({ sysfs }: Pick<SamplerSurroundings, 'sysfs'>, periodMs: number) {
    this.periodMs = periodMs;
    this.#sysfs = sysfs;
  }

  async find(): Promise<Finding> {
    const subject = 'temperature';
    try {
      const zones = await this.#thermalZones();
      let processor = PROCESSOR_ZONES.find((name) => zones.some((zone) => zone.name === name));
      if (processor === undefined) {
        const driver = await this.#processorDriver();
        if (driver) zones.unshift(driver);
        processor = driver?.name;
      }
      this.#zones = zones;
      this.#processor = processor;
      if (zones.length === 0) return { subject, found: false, detail: 'the kernel tells no temperature' };
      const detail = processor ?? `hottest of ${zones.map(({ name }) => name).join(', ')}`;
      return { subject, found: true, detail: detail.slice(0, 255) };
    } catch (error) {
      return { subject, found: false, detail: `temperatures can't be read: ${reasonOf(error)}` };
    }
  }

  async sample(signal: AbortSignal): Promise<ReportPart> {
    const zones: NonNullable<NonNullable<ReportPart['temperature']>['zones']> = [];
    // One after another: all of one sampler's devices together may hold up no more than one thread.
    for (const { name, file } of this.#zones) {
      const millidegrees = await file.number();
      signal.throwIfAborted();
      if (millidegrees !== undefined) zones.push({ name, temperatureCelsius: millidegrees / 1000 });
    }
    if (zones.length === 0) throw new Error('no temperature answers any more');
    const processor = zones.find(({ name }) => name === this.#processor);
    // Another zone may well be hotter; it must not stand for the processor while that can't be read.
    if (this.#processor !== undefined && !processor) throw new Error(`${this.#processor} does not answer`);
    const temperatureCelsius =
      processor?.temperatureCelsius ?? Math.max(...zones.map((zone) => zone.temperatureCelsius));
    return { temperature: { temperatureCelsius, zones } };
  }

  async stop(): Promise<void> {
    this.#files.close();
  }

  async #thermalZones(): Promise<Zone[]> {
    const root = join(this.#sysfs, 'class/thermal');
    const zones: Zone[] = [];
    const names = new Map<string, number>();
    for (const entry of await listKernelDirectory(root)) {
      if (!entry.startsWith('thermal_zone') || zones.length >= MOST_ZONES) continue;
      const file = this.#files.at(join(root, entry, 'temp'));
      const type = (await readKernelText(join(root, entry, 'type')))?.slice(0, 60);
      // A zone can exist without a value: that of a Wi-Fi chip that is switched off.
      if (!type || (await file.number()) === undefined) continue;
      const count = (names.get(type) ?? 0) + 1;
      names.set(type, count);
      zones.push({ name: count === 1 ? type : `${type}-${count}`, file });
    }
    return zones;
  }

  async #processorDriver(): Promise<Zone | undefined> {
    const root = join(this.#sysfs, 'class/hwmon');
    const byName = new Map<string, string>();
    for (const entry of await listKernelDirectory(root)) {
      const name = await readKernelText(join(root, entry, 'name'));
      if (name !== undefined && !byName.has(name)) byName.set(name, join(root, entry, 'temp1_input'));
    }
    for (const name of PROCESSOR_HWMON) {
      const path = byName.get(name);
      if (path === undefined) continue;
      const file = this.#files.at(path);
      if ((await file.number()) !== undefined) return { name, file };
    }
    return undefined;
  }
}
