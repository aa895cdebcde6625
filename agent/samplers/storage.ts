import { readFile, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { reasonOf } from '../../lib/errors.ts';
import type { Finding, ReportPart, Sampler, SamplerSurroundings } from '../sampler.ts';
import { type Mount, realMounts } from './mounts.ts';

const PERIOD_MS = 10_000;
const MOST_MOUNTS = 64;

/** Asks the system for a file system's size; passed in so that a recorded tree can answer for its board. */
export type StatFileSystem = (path: string) => Promise<{ bsize: number; blocks: number; bavail: number }>;

export interface StorageOptions {
  statFileSystem?: StatFileSystem;
  platform?: NodeJS.Platform;
}

/** Size and free space of the file systems that can fill up. */
export class StorageSampler implements Sampler {
  readonly name = 'storage';
  readonly periodMs = PERIOD_MS;
  readonly timeoutMs = 5000;
  readonly #procfs: string;
  readonly #statFileSystem: StatFileSystem | undefined;
  readonly #platform: NodeJS.Platform;

  constructor({ procfs }: Pick<SamplerSurroundings, 'procfs'>, options: StorageOptions = {}) {
    this.#procfs = procfs;
    this.#statFileSystem = options.statFileSystem;
    this.#platform = options.platform ?? process.platform;
  }

  async find(): Promise<Finding> {
    const subject = 'storage';
    try {
      // The paths of another system's mounts would be looked up in this one, and answer for the wrong disk.
      if (!this.#statFileSystem && this.#platform === 'linux' && this.#procfs !== '/proc') {
        return { subject, found: false, detail: `not measured: ${this.#procfs} tells of mounts that aren't ours` };
      }
      const mounts = await this.#measure();
      if (mounts.length === 0) return { subject, found: false, detail: 'no file system that can fill up' };
      return {
        subject,
        found: true,
        detail: mounts
          .map(({ path }) => path)
          .join(', ')
          .slice(0, 255),
      };
    } catch (error) {
      return { subject, found: false, detail: `file systems can't be read: ${reasonOf(error)}` };
    }
  }

  async sample(): Promise<ReportPart> {
    const mounts = await this.#measure();
    if (mounts.length === 0) throw new Error('no file system answers any more');
    return { storage: { mounts } };
  }

  async #measure(): Promise<NonNullable<ReportPart['storage']>['mounts']> {
    const measured = await Promise.all(
      (await this.#mounts()).slice(0, MOST_MOUNTS).map((mount) => this.#sizeOf(mount)),
    );
    return measured.filter((mount) => mount !== undefined);
  }

  async #mounts(): Promise<Mount[]> {
    if (this.#platform !== 'linux' && !this.#statFileSystem) return [{ device: '', path: '/', type: '' }];
    return realMounts(await readFile(join(this.#procfs, 'self/mounts'), 'utf8'));
  }

  /** Undefined for what has no size of its own: a mount we may not see, a file bound over another. */
  async #sizeOf({ device, path }: Mount) {
    try {
      if (!this.#statFileSystem && !(await stat(path)).isDirectory()) return undefined;
      const { bsize, blocks, bavail } = await (this.#statFileSystem ?? statfs)(path);
      if (blocks <= 0) return undefined;
      return {
        path: path.slice(0, 255),
        ...(device === '' ? {} : { device: device.slice(0, 255) }),
        totalBytes: blocks * bsize,
        availableBytes: Math.max(0, bavail) * bsize,
      };
    } catch {
      // One that is denied or just unmounted doesn't take the others with it.
      return undefined;
    }
  }
}
