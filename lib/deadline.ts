import type { Clock } from './clock.ts';
import { ErichtError } from './errors.ts';

/**
 * Settles as `work` does, or rejects with DEADLINE_EXCEEDED after `limitMs`. The work itself goes on: pass it
 * a signal where it can be stopped.
 */
export function withDeadline<T>(work: Promise<T>, limitMs: number, what: string, clock: Clock): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = clock.setTimer(() => {
      reject(new ErichtError('DEADLINE_EXCEEDED', { what, why: `no answer within ${limitMs} ms` }));
    }, limitMs);
    work.then(resolve, reject).finally(() => clock.clear(timer));
  });
}
