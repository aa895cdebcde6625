import type { Kafka } from 'kafkajs';
import { reasonOf } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';

/**
 * Says which records a group will never see: those between its committed offset and the oldest that Kafka still has.
 * kafkajs goes on at the oldest without a number, and overwrites the committed offset while doing so, so it is asked
 * before the group is joined. A check that fails keeps nobody from reading.
 */
export async function logLostRanges(kafka: Kafka, groupId: string, topics: string[], log: Log): Promise<void> {
  const admin = kafka.admin({ retry: { initialRetryTime: 100, maxRetryTime: 500, retries: 2 } });
  try {
    await admin.connect();
    const committed = await admin.fetchOffsets({ groupId, topics });
    for (const { topic, partitions } of committed) {
      if (partitions.every(({ offset }) => Number(offset) < 0)) continue;
      const ranges = new Map((await admin.fetchTopicOffsets(topic)).map((range) => [range.partition, range]));
      for (const { partition, offset } of partitions) {
        const range = ranges.get(partition);
        if (!range || BigInt(offset) < 0n) continue;
        const { low, high } = range;
        const fields = { topic, partition, committed: offset, low, high };
        if (BigInt(offset) < BigInt(low)) {
          const count = BigInt(low) - BigInt(offset);
          log.error(fields, `${count} records of ${topic}/${partition} were deleted unread (${offset} to ${low})`);
        } else if (BigInt(offset) > BigInt(high)) {
          log.error(fields, `${topic}/${partition} ends at ${high}, before the committed ${offset}: it is read anew`);
        }
      }
    }
  } catch (error) {
    log.debug({}, `the group's offsets were not compared with the log: ${reasonOf(error)}`);
  } finally {
    await admin.disconnect().catch((error) => log.debug({}, `an admin connection was cut: ${reasonOf(error)}`));
  }
}
