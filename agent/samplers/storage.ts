import { readFile, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { deviceCall } from '../../hardware/device-calls.ts';
import { reasonOf } from '../../lib/errors.ts';
import type { Finding, ReportPart, Sampler, SamplerSurroundings } from '../sampler.ts';
import { type BlockDevice, readBlockDevices } from './block-devices.ts';
import { type Mount, realMounts } from './mounts.ts';

type Storage = NonNullable<ReportPart['storage']>;

const PERIOD_MS = 10_000;
const MOST_MOUNTS = 64;

/** Asks the system for a file system's size; passed in so that a recorded tree can answer for its board. */
export type StatFileSystem = (path: string) => Promise<{ bsize: number; blocks: number; bavail: number }>;

export interface StorageOptions {
  statFileSystem?: StatFileSystem;
  platform?: NodeJS.Platform;
}

/** Size and free space of the file systems that can fill up; disks and cards with their wear and what was written. */
export class StorageSampler implements Sampler {
  readonly name = 'storage';
  readonly periodMs = PERIOD_MS;
  readonly timeoutMs = 5000;
  readonly #procfs: string;
  readonly #sysfs: string;
  readonly #statFileSystem: StatFileSystem | undefined;
  readonly #platform: NodeJS.Platform;

  constructor({ procfs, sysfs }: Pick<SamplerSurroundings, 'procfs' | 'sysfs'>, options: StorageOptions = {}) {
    this.#procfs = procfs;
    this.#sysfs = sysfs;
    this.#statFileSystem = options.statFileSystem;
    this.#platform = options.platform ?? process.platform;
  }

  async find(): Promise<Finding> {
    const subject = 'storage';
    try {
      const { mounts, devices = [] } = await this.#measure();
      const [paths, names] = [mounts.map(({ path }) => path), devices.map(({ name }) => name)];
      // The paths of another system's mounts would be looked up in this one, and answer for the wrong disk.
      const whyNone = this.#isOwn
        ? 'no file system that can fill up'
        : `file systems not measured: ${this.#procfs} tells of mounts that aren't ours`;
      const parts = paths.length > 0 ? [paths.join(', '), names.join(', ')] : [names.join(', '), whyNone];
      const detail = parts.filter(Boolean).join('; ').slice(0, 255);
      return { subject, found: mounts.length > 0 || devices.length > 0, detail };
    } catch (error) {
      return { subject, found: false, detail: `file systems can't be read: ${reasonOf(error)}` };
    }
  }

  async sample(signal?: AbortSignal): Promise<ReportPart> {
    const storage = await this.#measure(signal);
    if (storage.mounts.length === 0 && !storage.devices) throw new Error('no file system answers any more');
    return { storage };
  }

  get #isOwn(): boolean {
    return this.#statFileSystem !== undefined || this.#platform !== 'linux' || this.#procfs === '/proc';
  }

  async #measure(signal?: AbortSignal): Promise<Storage> {
    const mounts: Storage['mounts'] = [];
    // One after another: all of one sampler's disks together may hold up no more than one thread.
    for (const mount of (await this.#mounts()).slice(0, MOST_MOUNTS)) {
      const measured = await this.#sizeOf(mount);
      signal?.throwIfAborted();
      if (measured) mounts.push(measured);
    }
    const devices: BlockDevice[] = await readBlockDevices(this.#sysfs, signal);
    return { mounts, ...(devices.length > 0 ? { devices } : {}) };
  }

  async #mounts(): Promise<Mount[]> {
    if (!this.#isOwn) return [];
    if (this.#platform !== 'linux' && !this.#statFileSystem) return [{ device: '', path: '/', type: '' }];
    return realMounts(await readFile(join(this.#procfs, 'self/mounts'), 'utf8'));
  }

  /** Undefined for what has no size of its own: a mount we may not see, a file bound over another. */
  async #sizeOf({ device, path }: Mount) {
    try {
      const measure = this.#statFileSystem ?? statDirectory;
      const { bsize, blocks, bavail } = await deviceCall(`statfs ${path}`, () => measure(path));
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

/** Rejects for a file that is bound over another: it has no size of its own. */
export async function statDirectory(path: string): ReturnType<StatFileSystem> {
  if (!(await stat(path)).isDirectory()) throw new Error(`${path} is a file`);
  return await statfs(path);
}
