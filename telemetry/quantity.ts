import { z } from 'zod';

/** Base units only: what people read (Wh, °C, GiB) is made from these at the edge. */
export type Unit =
  | 'watts'
  | 'joules'
  | 'volts'
  | 'amperes'
  | 'ohms'
  | 'celsius'
  | 'bytes'
  | 'bytes per second'
  | 'hertz'
  | 'ratio'
  | 'milliseconds'
  | 'seconds'
  | 'epoch milliseconds'
  | 'decibel-milliwatts'
  | 'count';

/** A number with its unit and meaning; both reach the JSON Schema, the field table in docs/ and the command line. */
export function quantity(unit: Unit, description: string) {
  return z.number().meta({ unit, description });
}

/** A number that is never negative. */
export function amount(unit: Unit, description: string) {
  return z.number().min(0).meta({ unit, description });
}

/** A whole number from 0 up: counts, bytes, milliseconds. */
export function whole(unit: Unit, description: string) {
  return z.int().min(0).meta({ unit, description });
}

/** 0 to 1; a little above 1 is a rounding of the kernel's counters and is cut by the sampler, not here. */
export function ratio(description: string) {
  return z.number().min(0).max(1).meta({ unit: 'ratio', description });
}

/** Wall time as epoch milliseconds (UTC), the only form of time on the wire. */
export function instant(description: string) {
  return z.int().meta({ unit: 'epoch milliseconds', description });
}

/**
 * One of these words, or one that a later version knows: an agent that is newer than its collector must not have its
 * reports refused for a word.
 */
export function openWord<const T extends string>(known: readonly T[], description: string) {
  const schema = z
    .string()
    .min(1)
    .max(63)
    .meta({ description, examples: [...known] });
  return schema as unknown as z.ZodType<T | (string & {})>;
}
