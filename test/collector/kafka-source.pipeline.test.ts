import t from 'tap';
import { KafkaAside } from '../../collector/aside/kafka.ts';
import { Collector } from '../../collector/collector.ts';
import { KafkaSource } from '../../collector/consume/kafka.ts';
import { OnePartitionProducer } from '../../kafka/producer.ts';
import { systemClock as clock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { encode } from '../../telemetry/codec.ts';
import { recordKey, topicSpecs } from '../../telemetry/topics.ts';
import { plainAdmin, settingsFor } from '../helpers/kafka-records.ts';
import { freePort, kafkaForTest, randomName, type Teardown, until } from '../helpers/stack.ts';
import { aReport, CLUSTER, MemoryStore } from './doubles.ts';

const LIMIT_MS = 120_000;
const RETENTION = { rawMs: 7 * 86_400_000 };

t.setTimeout(LIMIT_MS);

function collectorOn(t: Teardown, brokers: string[], prefix: string, store = new MemoryStore()) {
  const settings = settingsFor(brokers);
  const common = { clock, log: silentLog };
  const producer = new OnePartitionProducer({ settings, ...common });
  const source = new KafkaSource({ settings, groupId: `${prefix}collector`, topicPrefix: prefix, ...common });
  const aside = new KafkaAside({ producer, topicPrefix: prefix });
  const collector = new Collector({ source, store, aside, retention: RETENTION, ...common });
  t.teardown(async () => {
    await collector.stop();
    await producer.stop();
  });
  return { collector, store, producer };
}

t.test(
  'stop commits what is stored, within 3 s, and the next collector goes on from there',
  { timeout: LIMIT_MS },
  async (t) => {
    const { brokers } = await kafkaForTest(t);
    const prefix = `${randomName('source')}.`;
    const first = collectorOn(t, brokers, prefix);
    await first.collector.start();
    const { reports } = topicSpecs(prefix);
    const now = clock.now();
    const send = (nodeId: string, count: number, from: number) =>
      first.producer.send(
        reports.name,
        { key: recordKey(CLUSTER, nodeId) },
        Array.from({ length: count }, (_, i) => ({
          value: encode(aReport({ nodeId, seq: from + i, timestamp: now + from + i })),
          headers: {},
        })),
      );
    for (const node of ['a', 'b', 'c']) await send(node, 400, 0);
    await until('all are stored', () => first.store.rows.size === 1200);
    const begun = clock.monotonicMs();
    await first.collector.stop();
    t.ok(clock.monotonicMs() - begun < 3000, `stopped in ${Math.round(clock.monotonicMs() - begun)} ms`);
    t.equal(first.collector.status().state, 'stopped');

    for (const node of ['a', 'b', 'c']) await send(node, 10, 400);
    const second = collectorOn(t, brokers, prefix, first.store);
    await second.collector.start();
    await until('the rest is stored', () => second.store.rows.size === 1230);
    t.match(second.collector.counts(), { received: 30, stored: 30, redelivered: 0 });
  },
);

t.test(
  'an existing topic with another number of partitions ends the start with what to do',
  { timeout: LIMIT_MS },
  async (t) => {
    const { brokers } = await kafkaForTest(t);
    const prefix = `${randomName('source')}.`;
    const admin = await plainAdmin(t, brokers);
    await admin.createTopics({ topics: [{ topic: topicSpecs(prefix).reports.name, numPartitions: 2 }] });
    const { collector } = collectorOn(t, brokers, prefix);
    await t.rejects(collector.start(), { code: 'KAFKA_TOPIC_UNSUITABLE', next: /./ });
  },
);

t.test('a Kafka that is away is waited for, told, and given up by stop', { timeout: LIMIT_MS }, async (t) => {
  const { collector } = collectorOn(t, [`127.0.0.1:${await freePort()}`], `${randomName('source')}.`);
  const started = collector.start();
  const told = await until('the status tells', () => collector.status().problem);
  t.match(told, { code: 'KAFKA_UNREACHABLE' });
  t.match(collector.status(), { state: 'starting', store: { reachable: true }, source: { readable: false } });
  const begun = clock.monotonicMs();
  await Promise.all([t.rejects(started, { code: 'STOPPED' }), collector.stop()]);
  t.ok(clock.monotonicMs() - begun < 5000);
});
