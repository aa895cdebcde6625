import { loadavg } from 'node:os';
import type { Finding, ReportPart, Sampler } from '../sampler.ts';

/** Load averages from node:os, where there is no /proc. */
export class OsLoadSampler implements Sampler {
  readonly name = 'load';
  readonly periodMs: number;
  readonly timeoutMs = 1000;
  readonly #platform: NodeJS.Platform;

  constructor(periodMs: number, platform: NodeJS.Platform = process.platform) {
    this.periodMs = periodMs;
    this.#platform = platform;
  }

  async find(): Promise<Finding> {
    // Windows knows no load average; node:os answers zeros there, which would be a lie.
    if (this.#platform === 'win32') return { subject: 'load', found: false, detail: 'this system has no load average' };
    return { subject: 'load', found: true, detail: 'load averages of the system' };
  }

  async sample(): Promise<ReportPart> {
    const [oneMinute = 0, fiveMinutes = 0, fifteenMinutes = 0] = loadavg();
    return { load: { oneMinute, fiveMinutes, fifteenMinutes } };
  }
}
