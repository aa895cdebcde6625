const DAY_MS = 86_400_000;

/** The end of the year 9999: the last instant whose day is written with four digits of year. */
export const LAST_INSTANT_MS = 253_402_300_799_999;

let memoIndex = Number.NaN;
let memoDay = '';

/** The UTC day of an instant, "2026-11-23". Rows of one batch share their day, so the last answer is kept. */
export function dayOf(ms: number): string {
  const index = Math.floor(ms / DAY_MS);
  if (index !== memoIndex) {
    memoDay = new Date(index * DAY_MS).toISOString().slice(0, 10);
    memoIndex = index;
  }
  return memoDay;
}

/** Cuts an instant to what has a day: queries may ask for "everything". */
export function clampInstant(ms: number): number {
  return Math.min(LAST_INSTANT_MS, Math.max(0, Number.isNaN(ms) ? 0 : Math.floor(ms)));
}

/** All days that [fromMs, toMs) touches, oldest first. */
export function daysBetween(fromMs: number, toMs: number): string[] {
  const days: string[] = [];
  for (let index = Math.floor(fromMs / DAY_MS); index * DAY_MS < toMs; index += 1) days.push(dayOf(index * DAY_MS));
  return days;
}

/** How many days [fromMs, toMs) touches, without listing them. */
export function countDays(fromMs: number, toMs: number): number {
  return Math.max(0, Math.ceil(toMs / DAY_MS) - Math.floor(fromMs / DAY_MS));
}
