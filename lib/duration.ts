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

/** Milliseconds as people say them: "0.4 s", "14 s", "3 min", "2 h", "5 d". */
export function formatAge(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}
