import { sleep, systemClock } from '../../lib/clock.ts';

/**
 * Asks until the answer is truthy and returns it; throws with `what` after `limitMs`. Tests wait for conditions, never
 * for a fixed time.
 */
export async function until<T>(
  what: string,
  ask: () => T | Promise<T>,
  { limitMs = 20_000, everyMs = 25 }: { limitMs?: number; everyMs?: number } = {},
): Promise<NonNullable<T>> {
  const deadline = systemClock.monotonicMs() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer) return answer as NonNullable<T>;
    if (systemClock.monotonicMs() > deadline) throw new Error(`not so within ${limitMs} ms: ${what}`);
    await sleep(systemClock, everyMs);
  }
}
