import { freemem, totalmem } from 'node:os';
import { formatBytes } from '../../lib/bytes.ts';
import type { Finding, ReportPart, Sampler } from '../sampler.ts';

/** Memory from node:os, where there is no /proc. What it calls free leaves out caches that could be dropped. */
export class OsMemorySampler implements Sampler {
  readonly name = 'memory';
  readonly periodMs: number;
  readonly timeoutMs = 1000;

  constructor(periodMs: number) {
    this.periodMs = periodMs;
  }

  async find(): Promise<Finding> {
    return { subject: 'memory', found: true, detail: formatBytes(totalmem()) };
  }

  async sample(): Promise<ReportPart> {
    return { memory: { totalBytes: totalmem(), availableBytes: freemem() } };
  }
}
