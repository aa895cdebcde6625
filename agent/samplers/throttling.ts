import { join } from 'node:path';
import { type KernelFile, KernelFiles, listKernelDirectory, readKernelText } from '../../hardware/kernel-file.ts';
import { profileOf } from '../../hardware/profiles.ts';
import type { Clock } from '../../lib/clock.ts';
import { reasonOf } from '../../lib/errors.ts';
import type { Finding, ReportPart, Sampler, SamplerSurroundings } from '../sampler.ts';
import { type FirmwareFlags, FLAGS, type Flag } from './firmware-flags.ts';

/** While nothing changes, a report repeats what an earlier one said: stores keep the change, not the repetition. */
const TELL_AGAIN_MS = 10_000;

type Throttling = NonNullable<ReportPart['throttling']>;

/**
 * Under-voltage and throttling of a Raspberry Pi. Under-voltage comes from the kernel's `rpi_volt`, which asks the
 * firmware itself every 2 s, so that it costs one read from memory; the rest from the firmware's flags, which are asked
 * for beside the reports.
 */
export class ThrottlingSampler implements Sampler {
  readonly name = 'throttling';
  readonly periodMs: number;
  readonly timeoutMs = 1000;
  readonly #sysfs: string;
  readonly #firmware: FirmwareFlags;
  readonly #files = new KernelFiles();
  #alarm: KernelFile | undefined;
  /** What this run has seen: the driver clears the firmware's memory of under-voltage. */
  readonly #seen = new Set<Flag>();
  #toldProblem: string | undefined;
  #told: { section: Throttling; asText: string; sampledAt: number; atMs: number } | undefined;
  readonly #clock: Clock;

  constructor(
    { sysfs, clock }: Pick<SamplerSurroundings, 'sysfs' | 'clock'>,
    { firmware, intervalMs }: { firmware: FirmwareFlags; intervalMs: number },
  ) {
    this.#sysfs = sysfs;
    this.#clock = clock;
    this.#firmware = firmware;
    this.periodMs = intervalMs;
  }

  async find(): Promise<Finding> {
    const subject = 'throttling';
    try {
      const model = await readKernelText(join(this.#sysfs, 'firmware/devicetree/base/model'));
      // Older models than those with a profile have the same driver and the same firmware.
      if (profileOf(model).throttling === 'none' && !model?.startsWith('Raspberry Pi ')) {
        return { subject, found: false, detail: 'only a Raspberry Pi tells of under-voltage and throttling' };
      }
      const [alarm] = await Promise.all([this.#findAlarm(), this.#firmware.find()]);
      this.#alarm = alarm;
      const { problem } = this.#firmware;
      this.#toldProblem = problem;
      const found = alarm !== undefined || problem === undefined;
      const parts = [alarm ? 'under-voltage by rpi_volt' : 'no rpi_volt driver'];
      parts.push(problem === undefined ? "the firmware's flags by vcgencmd" : `no flags of the firmware: ${problem}`);
      return { subject, found, detail: parts.join('; ').slice(0, 255) };
    } catch (error) {
      return { subject, found: false, detail: `throttling can't be read: ${reasonOf(error)}`.slice(0, 255) };
    }
  }

  hasNews(): boolean {
    return this.#alarm !== undefined && this.#firmware.problem !== this.#toldProblem;
  }

  async sample(): Promise<ReportPart> {
    const alarm = await this.#alarm?.number();
    const firmware = this.#firmware.current();
    if (alarm === undefined && !firmware) {
      throw new Error(this.#firmware.problem ?? 'neither rpi_volt nor the firmware answers');
    }
    // The driver's word is younger than that of the firmware.
    const now: Partial<Record<Flag, boolean>> = { ...firmware?.now };
    if (alarm !== undefined) now.underVoltage = alarm > 0;
    for (const flag of FLAGS) if (now[flag] || firmware?.occurred.includes(flag)) this.#seen.add(flag);
    const section: Throttling = {
      ...now,
      // Without the firmware nobody knows what was before this run.
      ...(firmware || this.#seen.size > 0 ? { occurred: FLAGS.filter((flag) => this.#seen.has(flag)) } : {}),
      ...(firmware && { firmwareSampledAt: firmware.sampledAt }),
    };
    return { throttling: this.#unlessTold(section) };
  }

  #unlessTold(section: Throttling): Throttling {
    const atMs = this.#clock.monotonicMs();
    const asText = JSON.stringify(section);
    const told = this.#told;
    if (told && told.asText === asText && atMs - told.atMs < TELL_AGAIN_MS) {
      return { sampledAt: told.sampledAt, ...told.section };
    }
    this.#told = { section, asText, sampledAt: this.#clock.now(), atMs };
    return section;
  }

  async stop(): Promise<void> {
    this.#firmware.stop();
    this.#files.close();
  }

  /** The number of the hwmon differs from start to start. */
  async #findAlarm(): Promise<KernelFile | undefined> {
    const root = join(this.#sysfs, 'class/hwmon');
    for (const entry of await listKernelDirectory(root)) {
      if ((await readKernelText(join(root, entry, 'name'))) !== 'rpi_volt') continue;
      const alarm = this.#files.at(join(root, entry, 'in0_lcrit_alarm'));
      if ((await alarm.number()) !== undefined) return alarm;
    }
    return undefined;
  }
}
