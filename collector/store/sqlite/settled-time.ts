import type { Clock } from '../../../lib/clock.ts';

/** Wall time that moved by more than this against monotonic time between two looks was stepped. */
const STEP_MS = 60_000;

/**
 * A board without a real-time clock has its time within minutes of its network; an hour leaves room for a person to
 * see a wrong date. What a few hours' waiting costs is disk, which has a cap; what a wrong date deletes is gone.
 */
export const SETTLING_MS = 3_600_000;

/** Wall time to delete by: none for an hour from the first look, and from each look that finds the clock stepped. */
export class SettledTime {
  readonly #clock: Clock;
  #offsetMs = Number.NaN;
  #evenSinceMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Epoch milliseconds, or undefined while wall time is not to be trusted. To be called every few minutes. */
  look(): number | undefined {
    const monotonicMs = this.#clock.monotonicMs();
    const now = this.#clock.now();
    const offsetMs = now - monotonicMs;
    if (!(Math.abs(offsetMs - this.#offsetMs) <= STEP_MS)) this.#evenSinceMs = monotonicMs;
    this.#offsetMs = offsetMs;
    return monotonicMs - this.#evenSinceMs >= SETTLING_MS ? now : undefined;
  }
}
