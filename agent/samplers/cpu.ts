import { join } from 'node:path';
import { KernelFile, KernelFiles, listKernelDirectory } from '../../hardware/kernel-file.ts';
import { reasonOf } from '../../lib/errors.ts';
import type { Finding, ReportPart, Sampler, SamplerSurroundings } from '../sampler.ts';
import { type CpuSnapshot, type CpuTimes, CpuUsage } from './cpu-usage.ts';

/** Reading a frequency interrupts its core on some machines; boards have one to three frequency domains. */
const MOST_FREQUENCY_DOMAINS = 4;

/** CPU from /proc/stat and cpufreq. Source: the kernel's Documentation/filesystems/proc.rst, 1.7. */
export class ProcCpuSampler implements Sampler {
  readonly name = 'cpu';
  readonly periodMs: number;
  readonly timeoutMs = 1000;
  readonly #stat: KernelFile;
  readonly #frequencyRoot: string;
  readonly #usage = new CpuUsage(1);
  /** Some drivers ask the hardware, or the firmware, for the frequency. */
  readonly #files = new KernelFiles({ asksDevice: true });
  #frequencies: KernelFile[] = [];

  constructor({ procfs, sysfs }: Pick<SamplerSurroundings, 'procfs' | 'sysfs'>, periodMs: number) {
    this.periodMs = periodMs;
    this.#stat = new KernelFile(join(procfs, 'stat'));
    this.#frequencyRoot = join(sysfs, 'devices/system/cpu/cpufreq');
  }

  async find(): Promise<Finding> {
    try {
      const snapshot = parseStat((await this.#stat.text()) ?? '');
      this.#usage.begin(snapshot);
      const domains = (await listKernelDirectory(this.#frequencyRoot)).filter((name) => name.startsWith('policy'));
      this.#frequencies =
        domains.length > MOST_FREQUENCY_DOMAINS
          ? []
          : domains.map((name) => this.#files.at(join(this.#frequencyRoot, name, 'scaling_cur_freq')));
      return { subject: 'cpu', found: true, detail: `${snapshot.cores.size} cores` };
    } catch (error) {
      return { subject: 'cpu', found: false, detail: `${this.#stat.path} can't be read: ${reasonOf(error)}` };
    }
  }

  async sample(signal: AbortSignal): Promise<ReportPart> {
    const cpu = this.#usage.next(parseStat((await this.#stat.text()) ?? ''));
    if (!cpu) return {};
    let highest = 0;
    // One after another: all of one sampler's devices together may hold up no more than one thread.
    for (const file of this.#frequencies) {
      highest = Math.max(highest, (await file.number()) ?? 0);
      signal.throwIfAborted();
    }
    return { cpu: highest > 0 ? { ...cpu, frequencyHertz: highest * 1000 } : cpu };
  }

  async stop(): Promise<void> {
    this.#stat.close();
    this.#files.close();
  }
}

/** Throws when there is no "cpu" line. */
export function parseStat(text: string): CpuSnapshot {
  let all: CpuTimes | undefined;
  const cores = new Map<number, CpuTimes>();
  for (const [, core, fields] of text.matchAll(/^cpu(\d*) +(.*)$/gm)) {
    const times = toTimes(fields!.trim().split(' ').map(Number));
    if (core === '') all = times;
    else cores.set(Number(core), times);
  }
  if (!all) throw new Error('there is no line "cpu" in it');
  return { all, cores };
}

/** user nice system idle iowait irq softirq steal; guest time, which follows, is contained in user and nice. */
function toTimes(fields: number[]): CpuTimes {
  const [idle = 0, iowait = 0] = fields.slice(3, 5);
  const total = fields.slice(0, 8).reduce((sum, value) => sum + value, 0);
  return { busy: total - idle - iowait, total };
}
