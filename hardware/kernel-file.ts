import { readdir, readFile } from 'node:fs/promises';

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
  try {
    const text = await readFile(path, signal ? { encoding: 'utf8', signal } : { encoding: 'utf8' });
    return text.replaceAll('\0', '').trim();
  } catch (error) {
    if (NO_VALUE.has((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw error;
  }
}

/** The same as a number; undefined for text that is none. */
export async function readKernelNumber(path: string, signal?: AbortSignal): Promise<number | undefined> {
  const text = await readKernelText(path, signal);
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  return Number.isFinite(value) ? value : undefined;
}

/** Names in a directory, in natural order (hwmon2 before hwmon10); empty where there is none. */
export async function listKernelDirectory(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  } catch (error) {
    if (NO_VALUE.has((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}
