import t from 'tap';
import { KafkaAsideReader } from '../../collector/aside/kafka-reader.ts';
import { systemClock as clock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { encode } from '../../telemetry/codec.ts';

import { ASIDE_HEADERS, topicSpecs } from '../../telemetry/topics.ts';
import { rawClient, readRawRows } from '../helpers/judge.ts';
import { plainAdmin, plainKafka, settingsFor } from '../helpers/kafka-records.ts';
import { kafkaForTest, randomName, until } from '../helpers/stack.ts';
import { aReport } from './doubles.ts';
import { startPipeline } from './pipeline.ts';

const LIMIT_MS = 120_000;
const MIB = 1024 * 1024;
/** ConfigResourceTypes.TOPIC of kafkajs. */
const TOPIC = 2;

t.setTimeout(LIMIT_MS);

t.test(
  'bad records become dead letters, whole and with their reason, and the partition goes on',
  { timeout: LIMIT_MS },
  async (t) => {
    const { kafka, cassandra, prefix, keyspace } = await startPipeline(t);
    const { reports, deadLetters } = topicSpecs(prefix);
    const admin = await plainAdmin(t, kafka.brokers);
    const configEntries = [{ name: 'max.message.bytes', value: String(4 * MIB) }];
    await admin.alterConfigs({ validateOnly: false, resources: [{ type: TOPIC, name: reports.name, configEntries }] });

    const now = clock.now();
    const good = (seq: number) => encode(aReport({ seq, timestamp: now + seq }));
    const timed = (seq: number, timestamp: number) => encode(aReport({ seq, timestamp }));
    const bad: [reason: string, value: Buffer | null][] = [
      ['malformed-json', Buffer.from([0x7b, 0xff, 0x00, 0x22])],
      ['wrong-schema-version', encode(aReport({ schemaVersion: 2, seq: 21 }))],
      ['invalid-report', Buffer.from(JSON.stringify({ ...aReport(), seq: 'twelve' }))],
      ['too-large', Buffer.alloc(2 * MIB, 0x61)],
      ['too-large', Buffer.from(JSON.stringify({ ...aReport(), padding: 'p'.repeat(65 * 1024) }))],
      ['time-too-old', timed(25, Date.UTC(1970, 0, 1))],
      ['time-in-future', timed(26, Date.UTC(2100, 0, 1))],
      ['no-value', null],
    ];
    const producer = plainKafka(kafka.brokers).producer();
    await producer.connect();
    t.teardown(() => producer.disconnect());
    // One partition, a good record before, between and after the bad ones, in one send each.
    const values = [good(0), ...bad.flatMap(([, value], i) => [value, good(i + 1)])];
    for (const value of values) {
      await producer.send({ topic: reports.name, acks: -1, messages: [{ partition: 3, key: 'case/a', value }] });
    }

    const client = rawClient(t, cassandra);
    const stored = await until('all good reports are stored', async () => {
      const rows = await readRawRows(client, keyspace);
      return rows.length > bad.length ? rows : undefined;
    });
    t.strictSame(stored.sort(), Array.from({ length: bad.length + 1 }, (_, seq) => `a/run-1/${seq}`).sort());

    const letters = await readLetters(kafka.brokers, deadLetters.name, bad.length);
    t.equal(letters.length, bad.length);
    const byOffset = letters.sort(
      (a, b) => Number(a.headers[ASIDE_HEADERS.offset]) - Number(b.headers[ASIDE_HEADERS.offset]),
    );
    for (const [i, [reason, value]] of bad.entries()) {
      const letter = byOffset[i];
      t.equal(letter?.headers[ASIDE_HEADERS.reason], reason);
      t.ok(value === null ? letter?.value === null : letter?.value?.equals(value), `${reason}: the original bytes`);
      t.match(letter?.headers, {
        [ASIDE_HEADERS.topic]: reports.name,
        [ASIDE_HEADERS.partition]: '3',
        [ASIDE_HEADERS.offset]: String(2 * i + 1),
        [ASIDE_HEADERS.detail]: /./,
      });
    }

    const reader = new KafkaAsideReader({
      settings: settingsFor(kafka.brokers),
      topicPrefix: prefix,
      clock,
      log: silentLog,
    });
    const keys = [];
    for await (const page of reader.asideKeys()) keys.push(...page);
    const named = keys.filter(({ seq }) => seq !== undefined);
    const who = (seq: number, reason: string) => ({ nodeId: 'a', runId: 'run-1', seq, reason });
    t.equal(keys.length, bad.length);
    t.match(
      named.sort((a, b) => Number(a.seq) - Number(b.seq)),
      [who(21, 'wrong-schema-version'), who(25, 'time-too-old'), who(26, 'time-in-future')],
    );
  },
);

t.test(
  'a dead letter that its topic refuses is kept cut, and the partition goes on',
  { timeout: LIMIT_MS },
  async (t) => {
    const { kafka, cassandra, prefix, keyspace, collector } = await startPipeline(t);
    const { reports, deadLetters } = topicSpecs(prefix);
    const admin = await plainAdmin(t, kafka.brokers);
    // As somebody may have set it who finds eight megabytes too much.
    const configEntries = [{ name: 'max.message.bytes', value: '4096' }];
    const resources = [{ type: TOPIC, name: deadLetters.name, configEntries }];
    await admin.alterConfigs({ validateOnly: false, resources });
    const now = clock.now();
    const good = (seq: number) => encode(aReport({ seq, timestamp: now + seq }));
    const long = Buffer.from(JSON.stringify({ ...aReport({ seq: 9 }), uptimeMs: 'x'.repeat(30_000) }));
    const short = Buffer.from('{"half');
    const producer = plainKafka(kafka.brokers).producer();
    await producer.connect();
    t.teardown(() => producer.disconnect());
    const messages = [good(0), short, long, good(1)].map((value) => ({ partition: 3, key: 'case/a', value }));
    await producer.send({ topic: reports.name, acks: -1, messages });

    const client = rawClient(t, cassandra);
    await until('both good reports are stored', async () => (await readRawRows(client, keyspace)).length === 2);
    await until('all is committed', () => collector.status().source.lag === 0);
    t.match(collector.counts(), { stored: 2, deadLettered: 2 });
    const letters = await readLetters(kafka.brokers, deadLetters.name, 2);
    const cut = letters.find(({ headers }) => headers[ASIDE_HEADERS.originalBytes] !== undefined);
    t.ok(letters.some(({ value }) => value?.equals(short)));
    t.ok(cut?.value?.equals(long.subarray(0, 1024)), 'as much of it as the topic takes');
    t.match(cut?.headers, {
      [ASIDE_HEADERS.originalBytes]: String(long.length),
      [ASIDE_HEADERS.reason]: 'invalid-report',
      [ASIDE_HEADERS.detail]: /cut to 1024 of \d+ bytes.*MESSAGE_TOO_LARGE/,
      [ASIDE_HEADERS.offset]: '2',
      [ASIDE_HEADERS.seq]: '9',
    });
  },
);

t.test('where no collector has made the topics, nothing was set aside', async (t) => {
  const { brokers } = await kafkaForTest(t);
  const topicPrefix = `${randomName('none')}.`;
  const reader = new KafkaAsideReader({ settings: settingsFor(brokers), topicPrefix, clock, log: silentLog });
  const keys = [];
  for await (const page of reader.asideKeys()) keys.push(...page);
  t.strictSame(keys, []);
});

interface Letter {
  value: Buffer | null;
  headers: Record<string, string>;
}

/** Read by plain kafkajs, with their bytes. */
async function readLetters(brokers: string[], topic: string, count: number): Promise<Letter[]> {
  const consumer = plainKafka(brokers).consumer({ groupId: `${topic}.judge`, maxWaitTimeInMs: 100 });
  const letters: Letter[] = [];
  await consumer.connect();
  try {
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      eachMessage: async ({ message: { value, headers = {} } }) => {
        const texts = Object.entries(headers).map(([name, text]) => [name, String(text)]);
        letters.push({ value, headers: Object.fromEntries(texts) });
      },
    });
    await until(`${count} dead letters`, () => letters.length >= count);
  } finally {
    await consumer.disconnect();
  }
  return letters;
}
