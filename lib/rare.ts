import type { Clock } from './clock.ts';

/** More different subjects than this are not told apart. */
const MAX_SUBJECTS = 1000;

/**
 * Says when something that happens often is worth a line in the log: the first time, and then once per `everyMs` for as
 * long as it goes on.
 */
export class Rare {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #subjects = new Map<string, { saidAt: number; unsaid: number }>();

  constructor(clock: Clock, everyMs = 60_000) {
    this.#clock = clock;
    this.#everyMs = everyMs;
  }

  /** How often it has happened since it was last said, this time included; 0 when it is not to be said now. */
  happened(subject: string, times = 1): number {
    const now = this.#clock.monotonicMs();
    const known = this.#subjects.get(subject);
    if (known !== undefined && now - known.saidAt < this.#everyMs) {
      known.unsaid += times;
      return 0;
    }
    if (this.#subjects.size >= MAX_SUBJECTS) this.#subjects.clear();
    this.#subjects.set(subject, { saidAt: now, unsaid: 0 });
    return times + (known?.unsaid ?? 0);
  }

  /** It is over: the next time counts as the first. True if there was anything to be over. */
  over(subject: string): boolean {
    return this.#subjects.delete(subject);
  }
}
