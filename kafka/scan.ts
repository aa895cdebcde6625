import { randomUUID } from 'node:crypto';
import { type Clock, sleep } from '../lib/clock.ts';
import { ErichtError, reasonOf } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { KafkaAdmin } from './admin.ts';
import { WatchedConsumer } from './consumer.ts';
import type { FetchedRecord, KafkaSettings } from './types.ts';

export interface ScanOptions {
  /** Only records appended from then on, epoch milliseconds. */
  fromMs?: number;
  clock: Clock;
  log: Log;
  /** Without any progress for this long the scan rejects as KAFKA_UNREACHABLE. */
  stallMs?: number;
  groupPrefix?: string;
}

/** So many fetches in a row without a record mean that what is left of a partition holds none. */
const EMPTY_FETCHES = 4;
const LOOK_EVERY_MS = 50;

/**
 * Reads all partitions of a topic from the beginning, or from a time, up to the ends seen at the start. Pages come in
 * the order of their partition and are as large as Kafka's answers; the next is fetched while one is worked on, not
 * more. The last offsets of a partition may hold no record, when they were compacted away or are Kafka's own marks:
 * the scan ends there too. Leaves no group behind.
 */
export async function* scanTopic(
  settings: KafkaSettings,
  topic: string,
  { fromMs, clock, log, stallMs = 60_000, groupPrefix = `${settings.clientId}.scan.` }: ScanOptions,
): AsyncGenerator<FetchedRecord[], void, undefined> {
  const admin = new KafkaAdmin({ settings, clock, log });
  const groupId = `${groupPrefix}${randomUUID().slice(0, 8)}`;
  let consumer: WatchedConsumer | undefined;
  try {
    const { positions, ends } = await findRange(admin, topic, fromMs);
    const isDone = () => [...ends].every(([partition, end]) => positions.get(partition)! >= end);
    if (isDone()) return;

    const pages: { records: FetchedRecord[]; taken: () => void }[] = [];
    let progressAtMs = clock.monotonicMs();
    let wake = () => {};
    const advance = (partition: number, next: string) => {
      if (BigInt(next) > (positions.get(partition) ?? 0n)) positions.set(partition, BigInt(next));
      progressAtMs = clock.monotonicMs();
      wake();
    };
    consumer = new WatchedConsumer({
      settings,
      groupId,
      topics: [topic],
      clock,
      log,
      startAt: (_, partition) => positions.get(partition)?.toString(),
      onPosition: (_, partition, next) => {
        // Of a batch with records the position moves when they are taken, which may be later.
        if (!pages.some(({ records }) => records[0]?.partition === partition)) advance(partition, next);
      },
      handlers: {
        assigned() {},
        revoked() {},
        batch: ({ partition, records }) =>
          new Promise((resolve) => {
            const before = positions.get(partition) ?? 0n;
            const end = ends.get(partition) ?? 0n;
            const wanted = records.filter(({ offset }) => BigInt(offset) >= before && BigInt(offset) < end);
            const last = records.at(-1)!.offset;
            const taken = () => {
              advance(partition, (BigInt(last) + 1n).toString());
              resolve();
            };
            pages.push({ records: wanted, taken });
            wake();
          }),
      },
    });
    await consumer.start();

    for (;;) {
      const page = pages.shift();
      if (page) {
        // Whoever reads us may take their time over a page: that is no stall.
        if (page.records.length > 0) yield page.records;
        page.taken();
        continue;
      }
      if (isDone() || consumer.idleFetches() >= EMPTY_FETCHES) return;
      if (clock.monotonicMs() - progressAtMs > stallMs) throw stalled(topic, stallMs, consumer);
      const woken = new AbortController();
      wake = () => woken.abort();
      if (pages.length === 0) await sleep(clock, LOOK_EVERY_MS, woken.signal);
    }
  } finally {
    await consumer?.stop();
    if (consumer) {
      await admin.deleteGroup(groupId).catch((error) => log.debug({ groupId }, `a group remains: ${reasonOf(error)}`));
    }
    await admin.stop();
  }
}

async function findRange(admin: KafkaAdmin, topic: string, fromMs: number | undefined) {
  const range = await admin.endOffsets(topic);
  const ends = new Map(range.map(({ partition, high }) => [partition, BigInt(high)]));
  const positions = new Map(range.map(({ partition, low }) => [partition, BigInt(low)]));
  if (fromMs !== undefined) {
    for (const { partition, offset } of await admin.offsetsAt(topic, fromMs)) positions.set(partition, BigInt(offset));
  }
  return { positions, ends };
}

function stalled(topic: string, stallMs: number, consumer: WatchedConsumer): ErichtError {
  const why = consumer.status().lastError?.why ?? `nothing came for ${stallMs / 1000} s`;
  return new ErichtError('KAFKA_UNREACHABLE', { what: `cannot read all of ${topic}`, why });
}
