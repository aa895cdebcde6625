import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { listKernelDirectory, readKernelNumber } from '../../hardware/kernel-file.ts';
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
  readonly #statFile: string;
  readonly #frequencyRoot: string;
  readonly #usage = new CpuUsage(1);
  #frequencyFiles: string[] = [];

  constructor({ procfs, sysfs }: Pick<SamplerSurroundings, 'procfs' | 'sysfs'>, periodMs: number) {
    this.periodMs = periodMs;
    this.#statFile = join(procfs, 'stat');
    this.#frequencyRoot = join(sysfs, 'devices/system/cpu/cpufreq');
  }

  async find(): Promise<Finding> {
    try {
      const snapshot = parseStat(await readFile(this.#statFile, 'utf8'));
      this.#usage.begin(snapshot);
      const domains = (await listKernelDirectory(this.#frequencyRoot)).filter((name) => name.startsWith('policy'));
      this.#frequencyFiles =
        domains.length > MOST_FREQUENCY_DOMAINS
          ? []
          : domains.map((name) => join(this.#frequencyRoot, name, 'scaling_cur_freq'));
      return { subject: 'cpu', found: true, detail: `${snapshot.cores.size} cores` };
    } catch (error) {
      return { subject: 'cpu', found: false, detail: `${this.#statFile} can't be read: ${reasonOf(error)}` };
    }
  }

  async sample(signal: AbortSignal): Promise<ReportPart> {
    const [text, ...kilohertz] = await Promise.all([
      readFile(this.#statFile, { encoding: 'utf8', signal }),
      ...this.#frequencyFiles.map((file) => readKernelNumber(file, signal)),
    ]);
    const cpu = this.#usage.next(parseStat(text));
    if (!cpu) return {};
    const highest = Math.max(0, ...kilohertz.filter((value) => value !== undefined));
    return { cpu: highest > 0 ? { ...cpu, frequencyHertz: highest * 1000 } : cpu };
  }
}

/** Throws when there is no "cpu" line. */
export function parseStat(text: string): CpuSnapshot {
  let all: CpuTimes | undefined;
  const cores = new Map<number, CpuTimes>();
  for (const line of text.split('\n')) {
    const match = /^cpu(\d*)\s+(.*)$/.exec(line);
    if (!match) continue;
    const times = toTimes(match[2]!.trim().split(/\s+/).map(Number));
    if (match[1] === '') all = times;
    else cores.set(Number(match[1]), times);
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
