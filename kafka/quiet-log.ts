import type { logCreator } from 'kafkajs';
import type { Clock } from '../lib/clock.ts';
import type { Log } from '../lib/log.ts';
import { Rare } from '../lib/rare.ts';

/**
 * kafkajs says each trouble many times, at error level, on every retry. What a person needs to know is said once by the
 * classes of this folder; kafkajs's own words go to debug, each sentence at most once a minute.
 */
export function quietLogCreator(
  log: Log,
  clock: Clock,
  watch?: (message: string, fields: Record<string, unknown>) => void,
): logCreator {
  const rare = new Rare(clock);
  return () =>
    ({ namespace, log: { message, timestamp: _, logger: __, stack: ___, ...fields } }) => {
      watch?.(message, fields);
      const times = rare.happened(`${namespace} ${message.replace(/\d+/g, '#')}`);
      if (times > 0) log.debug({ kafkajs: namespace, times, ...fields }, message);
    };
}
