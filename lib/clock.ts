/** Time as a value that is passed in: tests move it, they don't wait for it. */
export interface Clock {
  /** Wall time in epoch milliseconds; may jump either way. */
  now(): number;
  /** Milliseconds on a clock that only moves forward, from an arbitrary start. */
  monotonicMs(): number;
  /** Runs `callback` once after `delayMs`; the handle goes to `clear`. */
  setTimer(callback: () => void, delayMs: number): TimerHandle;
  clear(handle: TimerHandle): void;
}

export type TimerHandle = { unref?: () => void } | number;

/** Node's timers end at once when they are asked for more, which is 24.8 days. */
const MOST_DELAY_MS = 2 ** 31 - 1;

/** A timer of any length, made of several. */
class LongTimer {
  #timer: NodeJS.Timeout | undefined;
  #isUnref = false;

  start(callback: () => void, delayMs: number): this {
    const partMs = Math.min(delayMs, MOST_DELAY_MS);
    this.#timer = setTimeout(() => (delayMs > partMs ? this.start(callback, delayMs - partMs) : callback()), partMs);
    if (this.#isUnref) this.#timer.unref();
    return this;
  }

  unref(): void {
    this.#isUnref = true;
    this.#timer?.unref();
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer: (callback, delayMs) =>
    delayMs > MOST_DELAY_MS ? new LongTimer().start(callback, delayMs) : setTimeout(callback, delayMs),
  clear: (handle) => (handle instanceof LongTimer ? handle.clear() : clearTimeout(handle as NodeJS.Timeout)),
};

/** Resolves after `delayMs`, or at once when `signal` is aborted: a stop must not wait for a sleeper. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = () => {
      clock.clear(handle);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const handle = clock.setTimer(done, delayMs);
    signal?.addEventListener('abort', done);
  });
}
