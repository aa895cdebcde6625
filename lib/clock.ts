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

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  setTimer: (callback, delayMs) => setTimeout(callback, delayMs),
  clear: (handle) => clearTimeout(handle as NodeJS.Timeout),
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
