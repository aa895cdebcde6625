import { ErichtError } from './errors.ts';

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

/** "512MiB", "2GiB", "1000000" to bytes. Throws CONFIG_INVALID with `name` in its sentence. */
export function parseBytes(text: string, name: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(B|KiB|MiB|GiB|TiB)?$/.exec(text.trim());
  if (!match) {
    throw new ErichtError('CONFIG_INVALID', {
      what: `${name} is not a size: "${text}"`,
      next: 'write a number with B, KiB, MiB, GiB or TiB, such as 2GiB',
    });
  }
  return Math.round(Number(match[1]) * 1024 ** UNITS.indexOf(match[2] ?? 'B'));
}

/** Bytes for people, in powers of 1024: "7.6 GiB". */
export function formatBytes(bytes: number): string {
  const power = bytes < 1 ? 0 : Math.min(UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  const value = bytes / 1024 ** power;
  return `${value >= 100 || power === 0 ? Math.round(value) : value.toFixed(1)} ${UNITS[power]}`;
}
