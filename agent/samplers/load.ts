import { join } from 'node:path';
import { KernelFile } from '../../hardware/kernel-file.ts';
import { reasonOf } from '../../lib/errors.ts';
import type { Finding, ReportPart, Sampler, SamplerSurroundings } from '../sampler.ts';

/** Load averages from /proc/loadavg. */
export class ProcLoadSampler implements Sampler {
  readonly name = 'load';
  readonly periodMs: number;
  readonly timeoutMs = 1000;
  readonly #file: KernelFile;

  constructor({ procfs }: Pick<SamplerSurroundings, 'procfs'>, periodMs: number) {
    this.periodMs = periodMs;
    this.#file = new KernelFile(join(procfs, 'loadavg'));
  }

  async find(): Promise<Finding> {
    try {
      parseLoad((await this.#file.text()) ?? '');
      return { subject: 'load', found: true, detail: 'load averages of the kernel' };
    } catch (error) {
      return { subject: 'load', found: false, detail: `${this.#file.path} can't be read: ${reasonOf(error)}` };
    }
  }

  async sample(): Promise<ReportPart> {
    return { load: parseLoad((await this.#file.text()) ?? '') };
  }

  async stop(): Promise<void> {
    this.#file.close();
  }
}

function parseLoad(text: string): NonNullable<ReportPart['load']> {
  const match = /^(\d+\.\d+) (\d+\.\d+) (\d+\.\d+)/.exec(text);
  if (!match) throw new Error('there are no three load averages in it');
  return { oneMinute: Number(match[1]), fiveMinutes: Number(match[2]), fifteenMinutes: Number(match[3]) };
}
