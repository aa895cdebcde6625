import type { logCreator } from 'kafkajs';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';

const REPEAT_AFTER_MS = 60_000;
const MAX_DISTINCT = 100;

/**
 * kafkajs says each trouble many times, at error level, on every retry. What a person needs to know is said once by the
 * classes of this folder; kafkajs's own words go to debug, each sentence at most once a minute.
 */
export function quietLogCreator(
  log: Log,
  clock: Clock,
  watch?: (message: string, fields: Record<string, unknown>) => void,
): logCreator {
  const lastAt = new Map<string, number>();
  return () =>
    ({ namespace, log: { message, timestamp: _, logger: __, stack: ___, ...fields } }) => {
      watch?.(message, fields);
      const sentence = `${namespace} ${message.replace(/\d+/g, '#')}`;
      const now = clock.monotonicMs();
      const before = lastAt.get(sentence);
      if (before !== undefined && now - before < REPEAT_AFTER_MS) return;
      if (lastAt.size >= MAX_DISTINCT) lastAt.clear();
      lastAt.set(sentence, now);
      log.debug({ kafkajs: namespace, ...fields }, message);
    };
}
