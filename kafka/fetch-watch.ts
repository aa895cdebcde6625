import type { Clock } from '../lib/clock.ts';

/** Which brokers answer fetches, and how often in a row with nothing. */
export class FetchWatch {
  readonly #clock: Clock;
  readonly #answeredAtMs = new Map<number, number>();
  readonly #emptyInARow = new Map<number, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  answered(brokerId: number): void {
    this.#answeredAtMs.set(brokerId, this.#clock.monotonicMs());
    this.#emptyInARow.set(brokerId, (this.#emptyInARow.get(brokerId) ?? 0) + 1);
  }

  /** Comes after the answer that brought the batch. */
  batchCame(): void {
    this.#emptyInARow.clear();
  }

  /** Monotonic time of the newest answer, or -Infinity. */
  newestMs(): number {
    return Math.max(Number.NEGATIVE_INFINITY, ...this.#answeredAtMs.values());
  }

  /** Whether each of the brokers has answered within the last `maxAgeMs`. */
  allAnswer(brokerIds: number[], maxAgeMs: number): boolean {
    const oldest = this.#clock.monotonicMs() - maxAgeMs;
    return brokerIds.every((id) => (this.#answeredAtMs.get(id) ?? Number.NEGATIVE_INFINITY) >= oldest);
  }

  /** How many answers in a row brought nothing, from the broker with the fewest. */
  emptyInARow(brokerIds: number[]): number {
    return Math.min(...brokerIds.map((id) => this.#emptyInARow.get(id) ?? 0));
  }
}
