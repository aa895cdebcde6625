import kafkajs from 'kafkajs';
import { test } from 'tap';
import { OnePartitionProducer } from '../../kafka/producer.ts';
import { scanTopic } from '../../kafka/scan.ts';
import { systemClock as clock, sleep } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { makeTopic, plainAdmin, plainKafka, settingsFor } from '../helpers/kafka-records.ts';
import { kafkaForTest, randomName, type Teardown } from '../helpers/stack.ts';

async function fill(t: Teardown, brokers: string[], topic: string, partitions: number, each: number) {
  const producer = new OnePartitionProducer({ settings: settingsFor(brokers), clock, log: silentLog });
  t.teardown(() => producer.stop());
  for (let partition = 0; partition < partitions; partition += 1) {
    const records = Array.from({ length: each }, (_, n) => ({ value: Buffer.from(`${partition}:${n}`) }));
    await producer.send(topic, { partition }, records);
  }
  return producer;
}

async function collect(brokers: string[], topic: string, options: { fromMs?: number; groupPrefix?: string } = {}) {
  const values: string[] = [];
  for await (const page of scanTopic(settingsFor(brokers), topic, { clock, log: silentLog, ...options })) {
    values.push(...page.map(({ value }) => value?.toString() ?? ''));
  }
  return values;
}

test('a scan reads every record there was at its start, in the order of its partition, and leaves no group', async (t) => {
  const { brokers } = await kafkaForTest(t);
  const topic = await makeTopic(brokers, 4);
  await fill(t, brokers, topic, 3, 500);
  const groupPrefix = `${randomName('scan')}-`;
  const values = await collect(brokers, topic, { groupPrefix });
  for (let partition = 0; partition < 3; partition += 1) {
    const own = values.filter((value) => value.startsWith(`${partition}:`));
    const wanted = Array.from({ length: 500 }, (_, n) => `${partition}:${n}`);
    t.same(own, wanted);
  }
  t.equal(values.length, 1500);
  const { groups } = await (await plainAdmin(t, brokers)).listGroups();
  t.notOk(groups.some(({ groupId }) => groupId.startsWith(groupPrefix)));
});

test('records that come during a scan are not waited for, and a slow reader misses none', async (t) => {
  const { brokers } = await kafkaForTest(t);
  const topic = await makeTopic(brokers, 2);
  const producer = await fill(t, brokers, topic, 2, 100);
  let count = 0;
  for await (const page of scanTopic(settingsFor(brokers), topic, { clock, log: silentLog })) {
    await producer.send(topic, { partition: 0 }, [{ value: Buffer.from('later') }]);
    await sleep(clock, 400);
    count += page.length;
  }
  t.equal(count, 200);
});

test('a scan from a time begins there; an empty topic ends at once', async (t) => {
  const { brokers } = await kafkaForTest(t);
  const topic = await makeTopic(brokers, 2);
  t.same(await collect(brokers, topic), []);
  const producer = await fill(t, brokers, topic, 2, 3);
  await sleep(clock, 20);
  const fromMs = clock.now();
  await producer.send(topic, { partition: 1 }, [{ value: Buffer.from('new') }]);
  t.same(await collect(brokers, topic, { fromMs }), ['new']);
  t.same(await collect(brokers, topic, { fromMs: clock.now() + 60_000 }), []);
});

test('a scan that is broken off cleans up', async (t) => {
  const { brokers } = await kafkaForTest(t);
  const topic = await makeTopic(brokers, 2);
  await fill(t, brokers, topic, 2, 100);
  const groupPrefix = `${randomName('scan')}-`;
  for await (const page of scanTopic(settingsFor(brokers), topic, { clock, log: silentLog, groupPrefix })) {
    t.ok(page.length > 0);
    break;
  }
  const { groups } = await (await plainAdmin(t, brokers)).listGroups();
  t.notOk(groups.some(({ groupId }) => groupId.startsWith(groupPrefix)));
});

test('a partition that ends in records which nobody gets to see ends all the same', async (t) => {
  const { brokers } = await kafkaForTest(t);
  const topic = await makeTopic(brokers, 1, { 'message.timestamp.type': 'CreateTime' });
  const producer = plainKafka(brokers).producer({
    transactionalId: randomName('transaction'),
    idempotent: true,
    maxInFlightRequests: 1,
    createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
  });
  await producer.connect();
  t.teardown(() => producer.disconnect());
  const kept = await producer.transaction();
  await kept.send({ topic, messages: [{ value: 'kept' }] });
  await kept.commit();
  const dropped = await producer.transaction();
  await dropped.send({ topic, messages: [{ value: 'dropped' }] });
  await dropped.abort();
  t.same(await collect(brokers, topic), ['kept'], 'marks and aborted records are passed over');

  const open = await producer.transaction();
  await open.send({ topic, messages: [{ value: 'not yet' }] });
  t.same(await collect(brokers, topic), ['kept'], 'an open transaction is not waited for');
  await open.abort();
});

test('a scan of a topic that is not there says so', async (t) => {
  const { brokers } = await kafkaForTest(t);
  await t.rejects(collect(brokers, randomName('nowhere')), { code: 'KAFKA_TOPIC_MISSING' });
});
