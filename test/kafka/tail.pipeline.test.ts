import t, { test } from 'tap';
import { OnePartitionProducer } from '../../kafka/producer.ts';
import { TopicTail } from '../../kafka/tail.ts';
import type { FetchedRecord } from '../../kafka/types.ts';
import { systemClock as clock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { makeTopic, plainAdmin, settingsFor } from '../helpers/kafka-records.ts';
import { freePort, kafkaForTest, randomName, type Teardown, until } from '../helpers/stack.ts';

// The whole file; tap gives 30 s unless told.
t.setTimeout(120_000);

function follow(t: Teardown, brokers: string[], topics: { topic: string; from: 'end' | 'beginning' }[]) {
  const records: FetchedRecord[] = [];
  const groupPrefix = `${randomName('tail')}-`;
  const tail = new TopicTail({
    settings: settingsFor(brokers),
    groupPrefix,
    topics,
    clock,
    log: silentLog,
    onRecord: (record) => {
      records.push(record);
      if (record.value?.toString() === 'throw') throw new Error('a record that cannot be shown');
    },
  });
  t.teardown(() => tail.stop());
  return { tail, records, groupPrefix, values: () => records.map(({ value }) => value?.toString()) };
}

function sender(t: Teardown, brokers: string[]) {
  const producer = new OnePartitionProducer({ settings: settingsFor(brokers), clock, log: silentLog });
  t.teardown(() => producer.stop());
  return (topic: string, partition: number, text: string) =>
    producer.send(topic, { partition }, [{ value: Buffer.from(text) }]);
}

test('from the end means from start() on, and nothing sent right after it is missed', async (t) => {
  const { brokers } = await kafkaForTest(t);
  const [live, whole] = [await makeTopic(brokers, 3), await makeTopic(brokers)];
  const send = sender(t, brokers);
  for (let partition = 0; partition < 3; partition += 1) await send(live, partition, 'before');
  await send(whole, 0, 'old facts');
  const { tail, values, groupPrefix } = follow(t, brokers, [
    { topic: live, from: 'end' },
    { topic: whole, from: 'beginning' },
  ]);
  await tail.start();
  for (let partition = 0; partition < 3; partition += 1) await send(live, partition, `after ${partition}`);
  await until('all', () => values().length === 4);
  t.same(values().toSorted(), ['after 0', 'after 1', 'after 2', 'old facts']);
  await until('readable', () => tail.readable());

  const judge = await plainAdmin(t, brokers);
  const groups = async () => (await judge.listGroups()).groups.filter(({ groupId }) => groupId.startsWith(groupPrefix));
  const [group] = await groups();
  const offsets = await judge.fetchOffsets({ groupId: group!.groupId, topics: [live] });
  t.ok(
    offsets[0]?.partitions.every(({ offset }) => offset === '-1'),
    'nothing is committed',
  );
  await Promise.all([tail.stop(), tail.stop()]);
  t.same(await groups(), [], 'the group is deleted');
  t.notOk(tail.readable());
});

test('a rebuilt tail goes on where it was', async (t) => {
  const { brokers } = await kafkaForTest(t);
  const topic = await makeTopic(brokers);
  const send = sender(t, brokers);
  await send(topic, 0, 'before');
  const { tail, values } = follow(t, brokers, [{ topic, from: 'end' }]);
  await tail.start();
  await send(topic, 0, '1');
  await until('the first', () => values().length === 1);
  tail.rebuild('the clock stepped');
  await send(topic, 0, 'throw');
  await send(topic, 0, '3');
  await until('the third', () => values().length >= 3);
  t.same(values(), ['1', 'throw', '3'], 'none missed, none twice, and one that throws holds up nothing');
});

test('a topic that is made later is followed from its beginning', async (t) => {
  const { brokers } = await kafkaForTest(t);
  const topic = randomName('later');
  const { tail, values } = follow(t, brokers, [{ topic, from: 'end' }]);
  await tail.start();
  const judge = await plainAdmin(t, brokers);
  await judge.createTopics({ topics: [{ topic, numPartitions: 1 }] });
  await sender(t, brokers)(topic, 0, 'first');
  await until('the first record', () => values().length > 0, { limitMs: 30_000 });
  t.same(values(), ['first']);
});

test('without Kafka it starts, is not readable, and stops', async (t) => {
  const { tail } = follow(t, [`127.0.0.1:${await freePort()}`], [{ topic: 'any', from: 'end' }]);
  const from = clock.monotonicMs();
  await tail.start();
  t.ok(clock.monotonicMs() - from < 7000, 'start() does not wait for Kafka');
  t.notOk(tail.readable());
  await tail.stop();
  t.ok(clock.monotonicMs() - from < 12_000, 'nor does stop()');
});
