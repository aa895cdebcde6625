import kafkajs from 'kafkajs';
import { KafkaAdmin } from '../../kafka/admin.ts';
import type { KafkaSettings } from '../../kafka/types.ts';
import { systemClock as clock } from '../../lib/clock.ts';
import { type Log, silentLog } from '../../lib/log.ts';
import { randomName, type Teardown } from './temp.ts';
import { until, within } from './until.ts';

export interface SaidLine {
  level: 'debug' | 'info' | 'warn' | 'error';
  fields: Record<string, unknown>;
  message: string;
}

/** A log that keeps what it is told. */
export function recordingLog(): Log & { lines: SaidLine[] } {
  const lines: SaidLine[] = [];
  const at = (level: SaidLine['level']) => (fields: object, message: string) => {
    lines.push({ level, fields: fields as Record<string, unknown>, message });
  };
  const log = { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error'), child: () => log };
  return log;
}

export function settingsFor(brokers: string[]): KafkaSettings {
  return { brokers, clientId: 'ericht-test' };
}

/** Makes a topic with a random name and answers its name. */
export async function makeTopic(brokers: string[], partitions = 1, settings: Record<string, string> = {}) {
  const admin = new KafkaAdmin({ settings: settingsFor(brokers), clock, log: silentLog, callTimeoutMs: 30_000 });
  const name = randomName('topic');
  try {
    await admin.ensureTopics([
      { name, partitions, settings: { 'message.timestamp.type': 'LogAppendTime', ...settings } },
    ]);
  } finally {
    await admin.stop();
  }
  return name;
}

/** kafkajs as it comes, to check from outside what our own classes did. */
export function plainKafka(brokers: string[]): kafkajs.Kafka {
  return new kafkajs.Kafka({ brokers, clientId: 'judge', logLevel: kafkajs.logLevel.NOTHING, retry: { retries: 10 } });
}

export async function plainAdmin(t: Teardown, brokers: string[]): Promise<kafkajs.Admin> {
  const admin = plainKafka(brokers).admin();
  t.teardown(() => inTime('closing the judge', admin.disconnect()));
  await inTime('connecting the judge', admin.connect());
  return admin;
}

/** kafkajs waits without an end in some places, such as for a broker that was killed while it was dialled. */
function inTime<T>(what: string, work: Promise<T>, limitMs = 30_000): Promise<T> {
  return within(limitMs, work, () => `${what} took more than ${limitMs} ms`);
}

/** The first offset that no record has yet, by partition. Asked again while a partition has just lost its leader. */
async function endsOf(admin: kafkajs.Admin, topic: string, limitMs: number): Promise<Map<number, bigint>> {
  let problem: unknown;
  const ask = () =>
    admin.fetchTopicOffsets(topic).catch((error) => {
      problem = error;
      return undefined;
    });
  const ends = await until(`the ends of ${topic} are told`, ask, { limitMs, everyMs: 200 }).catch((error) => {
    throw new Error(`${error.message} (${problem})`, { cause: problem });
  });
  return new Map(ends.map(({ partition, high }) => [partition, BigInt(high)]));
}

/** Every value in the topic, read by plain kafkajs up to the ends that a plain admin names. */
export async function readAll(brokers: string[], topic: string, limitMs = 60_000): Promise<string[]> {
  const kafka = plainKafka(brokers);
  const admin = kafka.admin();
  const groupId = randomName('judge');
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 });
  const values: string[] = [];
  try {
    await inTime('connecting the judge', admin.connect());
    const ends = await endsOf(admin, topic, limitMs);
    for (const [partition, end] of ends) if (end === 0n) ends.delete(partition);
    await inTime('connecting the judge', consumer.connect());
    await inTime(`subscribing to ${topic}`, consumer.subscribe({ topic, fromBeginning: true }));
    const running = consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        for (const { value } of batch.messages) values.push(value?.toString() ?? '');
        if (BigInt(batch.lastOffset()) + 1n >= (ends.get(batch.partition) ?? 0n)) ends.delete(batch.partition);
      },
    });
    await inTime(`joining the group of ${topic}`, running, limitMs);
    await until(`all partitions of ${topic} are read`, () => ends.size === 0, { limitMs }).catch((error) => {
      throw new Error(`${error.message}; left are ${[...ends.keys()]}`);
    });
    return values;
  } finally {
    await inTime('closing the judge', consumer.disconnect());
    await inTime('removing its group', admin.deleteGroups([groupId])).catch(() => {});
    await inTime('closing the judge', admin.disconnect());
  }
}
