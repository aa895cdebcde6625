import kafkajs from 'kafkajs';
import { KafkaAdmin } from '../../kafka/admin.ts';
import type { KafkaSettings } from '../../kafka/types.ts';
import { systemClock as clock, sleep } from '../../lib/clock.ts';
import { type Log, silentLog } from '../../lib/log.ts';
import { randomName, type Teardown } from './temp.ts';

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
  await admin.connect();
  t.teardown(() => admin.disconnect());
  return admin;
}

/** Every value in the topic, read by plain kafkajs up to the ends that a plain admin names. */
export async function readAll(brokers: string[], topic: string, limitMs = 60_000): Promise<string[]> {
  const kafka = plainKafka(brokers);
  const admin = kafka.admin();
  const groupId = randomName('judge');
  const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 });
  const values: string[] = [];
  try {
    await admin.connect();
    const ends = new Map(
      (await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [partition, BigInt(high)]),
    );
    for (const [partition, end] of ends) if (end === 0n) ends.delete(partition);
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommit: false,
      eachBatch: async ({ batch }) => {
        for (const { value } of batch.messages) values.push(value?.toString() ?? '');
        if (BigInt(batch.lastOffset()) + 1n >= (ends.get(batch.partition) ?? 0n)) ends.delete(batch.partition);
      },
    });
    const until = clock.monotonicMs() + limitMs;
    while (ends.size > 0 && clock.monotonicMs() < until) await sleep(clock, 50);
    if (ends.size > 0) throw new Error(`partitions ${[...ends.keys()]} of ${topic} were not read within ${limitMs} ms`);
    return values;
  } finally {
    await consumer.disconnect();
    await admin.deleteGroups([groupId]).catch(() => {});
    await admin.disconnect();
  }
}
