import { join } from 'node:path';
import { KernelFile } from '../../hardware/kernel-file.ts';
import { formatBytes } from '../../lib/bytes.ts';
import { reasonOf } from '../../lib/errors.ts';
import type { Finding, ReportPart, Sampler, SamplerSurroundings } from '../sampler.ts';

/** Memory from /proc/meminfo. */
export class ProcMemorySampler implements Sampler {
  readonly name = 'memory';
  readonly periodMs: number;
  readonly timeoutMs = 1000;
  readonly #file: KernelFile;

  constructor({ procfs }: Pick<SamplerSurroundings, 'procfs'>, periodMs: number) {
    this.periodMs = periodMs;
    this.#file = new KernelFile(join(procfs, 'meminfo'));
  }

  async find(): Promise<Finding> {
    try {
      const { totalBytes } = parseMeminfo((await this.#file.text()) ?? '');
      return { subject: 'memory', found: true, detail: formatBytes(totalBytes) };
    } catch (error) {
      return { subject: 'memory', found: false, detail: `${this.#file.path} can't be read: ${reasonOf(error)}` };
    }
  }

  async sample(): Promise<ReportPart> {
    return { memory: parseMeminfo((await this.#file.text()) ?? '') };
  }

  async stop(): Promise<void> {
    this.#file.close();
  }
}

const LINES = {
  totalBytes: /^MemTotal:\s+(\d+) kB$/m,
  availableBytes: /^MemAvailable:\s+(\d+) kB$/m,
  swapTotalBytes: /^SwapTotal:\s+(\d+) kB$/m,
  swapFreeBytes: /^SwapFree:\s+(\d+) kB$/m,
};

/** Throws without MemTotal or MemAvailable. The file's "kB" are units of 1024 bytes. */
export function parseMeminfo(text: string): NonNullable<ReportPart['memory']> {
  const bytesOf = (key: keyof typeof LINES): number | undefined => {
    const match = LINES[key].exec(text);
    return match ? Number(match[1]) * 1024 : undefined;
  };
  const totalBytes = bytesOf('totalBytes');
  const availableBytes = bytesOf('availableBytes');
  if (totalBytes === undefined || availableBytes === undefined) throw new Error('there is no MemAvailable in it');
  const swapTotalBytes = bytesOf('swapTotalBytes');
  const swapFreeBytes = bytesOf('swapFreeBytes');
  return {
    totalBytes,
    availableBytes,
    ...(swapTotalBytes === undefined ? {} : { swapTotalBytes }),
    ...(swapFreeBytes === undefined ? {} : { swapFreeBytes }),
  };
}
