import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatBytes } from '../../lib/bytes.ts';
import { reasonOf } from '../../lib/errors.ts';
import type { Finding, ReportPart, Sampler, SamplerSurroundings } from '../sampler.ts';

/** Memory from /proc/meminfo. */
export class ProcMemorySampler implements Sampler {
  readonly name = 'memory';
  readonly periodMs: number;
  readonly timeoutMs = 1000;
  readonly #file: string;

  constructor({ procfs }: Pick<SamplerSurroundings, 'procfs'>, periodMs: number) {
    this.periodMs = periodMs;
    this.#file = join(procfs, 'meminfo');
  }

  async find(): Promise<Finding> {
    try {
      const { totalBytes } = parseMeminfo(await readFile(this.#file, 'utf8'));
      return { subject: 'memory', found: true, detail: formatBytes(totalBytes) };
    } catch (error) {
      return { subject: 'memory', found: false, detail: `${this.#file} can't be read: ${reasonOf(error)}` };
    }
  }

  async sample(signal: AbortSignal): Promise<ReportPart> {
    return { memory: parseMeminfo(await readFile(this.#file, { encoding: 'utf8', signal })) };
  }
}

/** Throws without MemTotal or MemAvailable. The file's "kB" are units of 1024 bytes. */
export function parseMeminfo(text: string): NonNullable<ReportPart['memory']> {
  const bytesOf = (key: string): number | undefined => {
    const match = new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(text);
    return match ? Number(match[1]) * 1024 : undefined;
  };
  const totalBytes = bytesOf('MemTotal');
  const availableBytes = bytesOf('MemAvailable');
  if (totalBytes === undefined || availableBytes === undefined) throw new Error('there is no MemAvailable in it');
  const swapTotalBytes = bytesOf('SwapTotal');
  const swapFreeBytes = bytesOf('SwapFree');
  return {
    totalBytes,
    availableBytes,
    ...(swapTotalBytes === undefined ? {} : { swapTotalBytes }),
    ...(swapFreeBytes === undefined ? {} : { swapFreeBytes }),
  };
}
