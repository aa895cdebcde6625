import { sleep, systemClock } from '../../lib/clock.ts';

/** A question that is asked at the last moment has this long. */
const LAST_ANSWER_MS = 1000;

/**
 * Asks until the answer is truthy and returns it; throws with `what` after `limitMs`, also when a question is still
 * unanswered by then. Tests wait for conditions, never for a fixed time.
 */
export async function until<T>(
  what: string,
  ask: () => T | Promise<T>,
  { limitMs = 20_000, everyMs = 25 }: { limitMs?: number; everyMs?: number } = {},
): Promise<NonNullable<T>> {
  const deadline = systemClock.monotonicMs() + limitMs;
  for (;;) {
    const askedAt = systemClock.monotonicMs();
    const answer = await within(Math.max(deadline - askedAt, LAST_ANSWER_MS), ask(), () => {
      const waitedMs = Math.round(systemClock.monotonicMs() - askedAt);
      return `not so within ${limitMs} ms: ${what} (the last question had no answer for ${waitedMs} ms)`;
    });
    if (answer) return answer as NonNullable<T>;
    if (systemClock.monotonicMs() > deadline) throw new Error(`not so within ${limitMs} ms: ${what}`);
    await sleep(systemClock, everyMs);
  }
}

/** Settles as `work` does, or rejects with the sentence that `late` says then. What is late goes on by itself. */
export function within<T>(limitMs: number, work: T | Promise<T>, late: () => string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = systemClock.setTimer(() => reject(new Error(late())), Math.max(0, limitMs));
    Promise.resolve(work)
      .then(resolve, reject)
      .finally(() => systemClock.clear(timer));
  });
}
