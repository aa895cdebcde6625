import { closeSync, constants, openSync, readSync, read as readThen, statfsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { naturalOrder } from '../lib/natural-order.ts';
import { deviceCall, isDeviceCallUnderWay } from './device-calls.ts';

/** What the kernel answers where a value doesn't exist, or can't be told just now (a sleeping or unplugged device). */
const NO_VALUE = new Set([
  'ENOENT',
  'ENOTDIR',
  'ENODEV',
  'ENXIO',
  'ENODATA',
  'EINVAL',
  'EAGAIN',
  'EOPNOTSUPP',
  'ENOTSUP',
]);

/**
 * The trimmed text of a small file of /proc or /sys; undefined where there is no such value. A device tree ends its
 * strings with NUL, which is cut. Rejects on what a person can cure or should know: EACCES, EIO, ETIMEDOUT ...
 */
export async function readKernelText(path: string, signal?: AbortSignal): Promise<string | undefined> {
  signal?.throwIfAborted();
  try {
    return trimmed(await deviceCall(path, () => readFile(path, 'utf8')));
  } catch (error) {
    if (isNoValue(error)) return undefined;
    throw error;
  }
}

/** The same as a number; undefined for text that is none. */
export async function readKernelNumber(path: string, signal?: AbortSignal): Promise<number | undefined> {
  return toNumber(await readKernelText(path, signal));
}

/** Names in a directory, in natural order (hwmon2 before hwmon10); empty where there is none. */
export async function listKernelDirectory(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).toSorted(naturalOrder);
  } catch (error) {
    if (isNoValue(error)) return [];
    throw error;
  }
}

/** Types of file systems that the kernel makes up as they are read, from its statfs(2). */
const PROC_FS = 0x9fa0;
const SYS_FS = 0x62656572;

const FIRST_SIZE = 8192;
/** A device writes a line, or one for each of a few interfaces. */
const DEVICE_SIZE = 2048;

/** Shared by all that is read at once, without waiting. */
let page = Buffer.allocUnsafeSlow(FIRST_SIZE);

/**
 * A file of the kernel that is read again and again: opened once and then read from its start, one system call instead
 * of five. What comes from memory is read on the spot; where a device has to answer (`asksDevice`) a thread waits for it.
 * A file that only looks like the kernel's (a recorded tree, a container's FUSE) is opened anew each time, on a thread.
 */
export class KernelFile {
  readonly path: string;
  readonly #asksDevice: boolean;
  #descriptor: number | undefined;
  #isKernels: boolean | undefined;
  #own: Buffer | undefined;

  constructor(path: string, { asksDevice = false } = {}) {
    this.path = path;
    this.#asksDevice = asksDevice;
  }

  /** As readKernelText. */
  async text(): Promise<string | undefined> {
    try {
      this.#isKernels ??= isKernels(this.path);
      if (!this.#isKernels) return await readKernelText(this.path);
      return trimmed(this.#asksDevice ? await deviceCall(this.path, () => this.#readOnThread()) : this.#readNow());
    } catch (error) {
      // What is there after this one is another file, if the device comes back.
      this.close();
      if (isNoValue(error)) return undefined;
      throw error;
    }
  }

  async number(): Promise<number | undefined> {
    return toNumber(await this.text());
  }

  close(): void {
    // A thread that still reads from it would read from whatever gets its number next.
    if (isDeviceCallUnderWay(this.path)) return;
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
    this.#isKernels = undefined;
  }

  #open(): number {
    this.#descriptor ??= openSync(this.path, constants.O_RDONLY | constants.O_NONBLOCK);
    return this.#descriptor;
  }

  #readNow(): string {
    const descriptor = this.#open();
    let length = 0;
    // A list comes in parts of a page; a read of nothing ends it.
    for (let got = 1; got > 0; length += got) {
      if (length === page.length) page = Buffer.concat([page], page.length * 2);
      got = readSync(descriptor, page, length, page.length - length, length);
    }
    return page.toString('utf8', 0, length);
  }

  #readOnThread(): Promise<string> {
    const descriptor = this.#open();
    this.#own ??= Buffer.allocUnsafeSlow(DEVICE_SIZE);
    const buffer = this.#own;
    return new Promise((resolve, reject) => {
      readThen(descriptor, buffer, 0, buffer.length, 0, (error, length) => {
        if (error) reject(error);
        else resolve(buffer.toString('utf8', 0, length));
      });
    });
  }
}

/** The files of one reader, each opened once however often it is looked for. */
export class KernelFiles {
  readonly #options: { asksDevice?: boolean };
  readonly #files = new Map<string, KernelFile>();

  constructor(options: { asksDevice?: boolean } = {}) {
    this.#options = options;
  }

  at(path: string): KernelFile {
    const known = this.#files.get(path);
    if (known) return known;
    const file = new KernelFile(path, this.#options);
    this.#files.set(path, file);
    return file;
  }

  close(): void {
    for (const file of this.#files.values()) file.close();
  }
}

/** Throws as statfs does. */
function isKernels(path: string): boolean {
  const { type } = statfsSync(path);
  return type === PROC_FS || type === SYS_FS;
}

function isNoValue(error: unknown): boolean {
  return NO_VALUE.has((error as NodeJS.ErrnoException).code ?? '');
}

function trimmed(text: string): string {
  return text.replaceAll('\0', '').trim();
}

function toNumber(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}
