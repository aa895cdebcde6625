import { ErichtError } from './errors.ts';

const UNIT_MS: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** "500ms", "20s", "10m", "2h", "7d", "2w" to milliseconds. Throws CONFIG_INVALID with `name` in its sentence. */
export function parseDuration(text: string, name: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h|d|w)$/.exec(text.trim());
  const factor = match?.[2] === undefined ? undefined : UNIT_MS[match[2]];
  if (!match || factor === undefined) {
    throw new ErichtError('CONFIG_INVALID', {
      what: `${name} is not a duration: "${text}"`,
      next: 'write a number with ms, s, m, h, d or w, such as 20s',
    });
  }
  return Number(match[1]) * factor;
}
