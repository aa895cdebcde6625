export interface BackoffOptions {
  /** First ceiling in milliseconds. */
  baseMs: number;
  /** No delay is longer than this. */
  maxMs: number;
  /** 0 ≤ random() < 1; passed in so that tests decide. */
  random?: () => number;
}

/**
 * Delays with full jitter: uniformly between 0 and a ceiling that doubles up to `maxMs`, so that a case whose boards
 * all lost the same broker does not knock in step. Source: AWS Architecture Blog, "Exponential Backoff And Jitter".
 */
export class Backoff {
  readonly #baseMs: number;
  readonly #maxMs: number;
  readonly #random: () => number;
  #attempts = 0;

  constructor({ baseMs, maxMs, random = Math.random }: BackoffOptions) {
    this.#baseMs = baseMs;
    this.#maxMs = maxMs;
    this.#random = random;
  }

  get attempts(): number {
    return this.#attempts;
  }

  nextDelayMs(): number {
    const ceiling = Math.min(this.#maxMs, this.#baseMs * 2 ** Math.min(this.#attempts, 30));
    this.#attempts += 1;
    return Math.round(this.#random() * ceiling);
  }

  reset(): void {
    this.#attempts = 0;
  }
}
