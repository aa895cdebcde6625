import type { Clock, TimerHandle } from '../lib/clock.ts';

export interface ScheduleOptions {
  intervalMs: number;
  clock: Clock;
  /** Must not throw. */
  tick: () => void;
}

/**
 * Ticks at whole multiples of the interval after its start, on the monotonic clock: it neither drifts nor follows steps
 * of wall time. A tick that comes late comes once; those that it has run over are skipped, because two reports at one
 * moment say no more than one.
 */
export class Schedule {
  readonly #intervalMs: number;
  readonly #clock: Clock;
  readonly #tick: () => void;
  #startedMs = 0;
  #index = 0;
  #timer: TimerHandle | undefined;

  constructor({ intervalMs, clock, tick }: ScheduleOptions) {
    this.#intervalMs = intervalMs;
    this.#clock = clock;
    this.#tick = tick;
  }

  /** The first tick comes at once. */
  start(): void {
    this.#startedMs = this.#clock.monotonicMs();
    this.#index = 0;
    this.#arm(0);
  }

  stop(): void {
    if (this.#timer !== undefined) this.#clock.clear(this.#timer);
    this.#timer = undefined;
  }

  #arm(delayMs: number): void {
    this.#timer = this.#clock.setTimer(() => this.#due(), delayMs);
  }

  #due(): void {
    const elapsedMs = this.#clock.monotonicMs() - this.#startedMs;
    // A timer may fire a little early: the index, not the time, says which tick this is.
    this.#index = Math.max(this.#index + 1, Math.floor(elapsedMs / this.#intervalMs) + 1);
    this.#arm(this.#index * this.#intervalMs - elapsedMs);
    this.#tick();
  }
}
