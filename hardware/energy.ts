import type { CountedEnergy } from './rail-reader.ts';

/** A distance between two readings beyond this many intervals is a gap. */
const GAP_INTERVALS = 2.5;

/**
 * Joules of one rail from its averaged power: each reading stands for the time since the one before, on a clock that
 * only moves forward. Nothing is added across a gap: `coveredSeconds` says how much time the joules are made of. Power
 * that flows backwards counts as none, so that the counter never falls.
 */
export class EnergyCounter {
  readonly #longestMs: number;
  #lastMs: number | undefined;
  #joules = 0;
  #coveredSeconds = 0;

  constructor(intervalMs: number) {
    this.#longestMs = GAP_INTERVALS * intervalMs;
  }

  get joules(): number {
    return this.#joules;
  }

  get coveredSeconds(): number {
    return this.#coveredSeconds;
  }

  /** `atMs`: when it was read, on the monotonic clock; a time that isn't later than the last begins anew. */
  add(powerWatts: number, atMs: number): void {
    const elapsedMs = this.#lastMs === undefined ? 0 : atMs - this.#lastMs;
    this.#lastMs = atMs;
    if (elapsedMs <= 0 || elapsedMs > this.#longestMs || !Number.isFinite(powerWatts)) return;
    this.#joules += (Math.max(0, powerWatts) * elapsedMs) / 1000;
    this.#coveredSeconds += elapsedMs / 1000;
  }

  /** What a reader has counted itself, window by window. */
  addCounted({ joules, seconds }: CountedEnergy): void {
    this.#joules += joules;
    this.#coveredSeconds += seconds;
  }

  /** Goes on from what was counted before; may come late, so that it never lowers the counter. */
  resume(before: { joules: number; coveredSeconds: number }): void {
    this.#joules += before.joules;
    this.#coveredSeconds += before.coveredSeconds;
  }

  /** There is no reading just now: what comes next doesn't reach back over this moment. */
  interrupt(): void {
    this.#lastMs = undefined;
  }
}
