import { cpus } from 'node:os';
import type { Finding, ReportPart, Sampler } from '../sampler.ts';
import { type CpuSnapshot, CpuUsage } from './cpu-usage.ts';

/** CPU from node:os, where there is no /proc. */
export class OsCpuSampler implements Sampler {
  readonly name = 'cpu';
  readonly periodMs: number;
  readonly timeoutMs = 1000;
  readonly #read: typeof cpus;
  readonly #usage = new CpuUsage(0.1);

  constructor(periodMs: number, read: typeof cpus = cpus) {
    this.periodMs = periodMs;
    this.#read = read;
  }

  async find(): Promise<Finding> {
    const snapshot = toSnapshot(this.#read());
    if (snapshot.cores.size === 0)
      return { subject: 'cpu', found: false, detail: 'the system tells no processor times' };
    this.#usage.begin(snapshot);
    return { subject: 'cpu', found: true, detail: `${snapshot.cores.size} cores` };
  }

  async sample(): Promise<ReportPart> {
    const cpu = this.#usage.next(toSnapshot(this.#read()));
    return cpu ? { cpu } : {};
  }
}

function toSnapshot(list: ReturnType<typeof cpus>): CpuSnapshot {
  const all = { busy: 0, total: 0 };
  const cores: CpuSnapshot['cores'] = new Map();
  list.forEach(({ times }, core) => {
    const busy = times.user + times.nice + times.sys + times.irq;
    cores.set(core, { busy, total: busy + times.idle });
    all.busy += busy;
    all.total += busy + times.idle;
  });
  return { all, cores };
}
