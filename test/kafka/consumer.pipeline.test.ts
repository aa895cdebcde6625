import t, { test } from 'tap';
import { type ConsumerHandlers, WatchedConsumer, type WatchedConsumerOptions } from '../../kafka/consumer.ts';
import { OnePartitionProducer } from '../../kafka/producer.ts';
import type { FetchedRecord, PartitionAssignment, PartitionBatch } from '../../kafka/types.ts';
import { systemClock as clock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { makeTopic, plainAdmin, recordingLog, settingsFor } from '../helpers/kafka-records.ts';
import { kafkaForTest, randomName, type Teardown, until } from '../helpers/stack.ts';

// The whole file; tap gives 30 s unless told.
t.setTimeout(120_000);

interface Watched {
  consumer: WatchedConsumer;
  records: FetchedRecord[];
  values(): string[];
  assigned: PartitionAssignment[];
  revoked: string[];
}

type Choice = Partial<WatchedConsumerOptions> & { batch?: ConsumerHandlers['batch'] };

const nextOffset = (batch: PartitionBatch) => (BigInt(batch.records.at(-1)!.offset) + 1n).toString();

/** A consumer that keeps what it gets and, unless told otherwise, commits it. */
async function consume(t: Teardown, brokers: string[], topic: string, groupId: string, choice: Choice = {}) {
  const { batch, ...options } = choice;
  const watched: Omit<Watched, 'consumer'> = {
    records: [],
    values: () => watched.records.map(({ value }) => value?.toString() ?? ''),
    assigned: [],
    revoked: [],
  };
  const consumer = new WatchedConsumer({
    settings: settingsFor(brokers),
    groupId,
    topics: [topic],
    clock,
    log: silentLog,
    handlers: {
      assigned: (assignment) => watched.assigned.push(assignment),
      revoked: (revokedTopic, partition) => watched.revoked.push(`${revokedTopic}/${partition}`),
      batch: async (each, assignment) => {
        if (batch) await batch(each, assignment);
        watched.records.push(...each.records);
        if (!batch) await assignment.commit(nextOffset(each));
      },
    },
    ...options,
  });
  t.teardown(() => consumer.stop());
  await consumer.start();
  return { ...watched, consumer };
}

function sender(t: Teardown, brokers: string[], topic: string) {
  const producer = new OnePartitionProducer({ settings: settingsFor(brokers), clock, log: silentLog });
  t.teardown(() => producer.stop());
  return (partition: number, ...texts: string[]) =>
    producer.send(
      topic,
      { partition, key: Buffer.from('key') },
      texts.map((text) => ({ value: Buffer.from(text), headers: { said: text.slice(0, 10) } })),
    );
}

test('records come whole, in order, once; a new consumer goes on at the committed offset', async (t) => {
  const { brokers } = await kafkaForTest(t);
  const topic = await makeTopic(brokers, 2);
  const groupId = randomName('group');
  const send = sender(t, brokers, topic);
  await send(0, 'a', 'b');
  const first = await consume(t, brokers, topic, groupId);
  await until('the first records', () => first.records.length === 2);
  await send(1, 'c');
  await until('a later one', () => first.records.length === 3);
  const [record] = first.records;
  t.match(record, { topic, partition: 0, offset: '0', headers: { said: 'a' } });
  t.equal(record?.key?.toString(), 'key');
  t.ok(Math.abs(record!.appendedAt - clock.now()) < 60_000, 'the append time is the broker time');
  t.match(first.consumer.status(), { state: 'running', rebuilds: 0 });
  t.ok(first.consumer.readable());
  await first.consumer.stop();
  t.match(first.consumer.status(), { state: 'stopped' });

  await send(0, 'd');
  const second = await consume(t, brokers, topic, groupId);
  await until('what is new', () => second.records.length === 1);
  t.same(second.values(), ['d']);
});

test('when a second consumer joins, assignments end and commit nothing more', async (t) => {
  const { brokers } = await kafkaForTest(t);
  const topic = await makeTopic(brokers, 4);
  const groupId = randomName('group');
  const send = sender(t, brokers, topic);
  for (let partition = 0; partition < 4; partition += 1) await send(partition, 'a', 'b');
  const first = await consume(t, brokers, topic, groupId, { batch: async () => {} });
  await until('all records', () => first.records.length === 8);
  const old = [...first.assigned];
  t.equal(old.length, 4);
  t.equal(await old[0]!.commit('1'), true);

  const second = await consume(t, brokers, topic, groupId, { batch: async () => {} });
  await until('the share of each', () => second.assigned.length === 2 && first.assigned.length === 6);
  t.equal(first.revoked.length, 4, 'all were taken away first');
  for (const assignment of old) {
    t.ok(assignment.signal.aborted);
    t.equal(await assignment.commit('2'), false, 'a stale commit does nothing');
  }
  const judge = await plainAdmin(t, brokers);
  const [offsets] = await judge.fetchOffsets({ groupId, topics: [topic] });
  const committed = offsets!.partitions.map(({ partition, offset }) => [partition, offset]);
  t.same(Object.fromEntries(committed), { [old[0]!.partition]: '1', 1: '-1', 2: '-1', 3: '-1' });

  await second.consumer.stop();
  await until('all partitions again', () => first.assigned.length === 10);
  t.equal(first.consumer.status().rebuilds, 0, 'a rebalance rebuilds nothing');
});

test('a batch held for longer than the session costs nothing: no rebalance, no rebuild, the others go on', {
  timeout: 60_000,
}, async (t) => {
  const { brokers } = await kafkaForTest(t);
  const topic = await makeTopic(brokers, 2);
  const groupId = randomName('group');
  const send = sender(t, brokers, topic);
  const store = Promise.withResolvers<void>();
  const held = await consume(t, brokers, topic, groupId, {
    sessionTimeoutMs: 6000,
    muteAfterMs: 3000,
    batch: async (batch, assignment) => {
      if (batch.partition === 0) await store.promise;
      await assignment.commit(nextOffset(batch));
    },
  });
  await send(0, 'slow 1');
  await until('the group is joined', () => held.assigned.length === 2);
  const from = clock.monotonicMs();
  let sent = 0;
  await until(
    'nine seconds',
    async () => {
      await send(1, `quick ${sent++}`);
      await until(
        'the quick partition',
        () => held.values().filter((text) => text.startsWith('quick')).length === sent,
      );
      return clock.monotonicMs() - from > 9000;
    },
    { everyMs: 300 },
  );
  await send(0, 'slow 2');
  t.same(held.revoked, []);
  store.resolve();
  await until('the held batch and the next', () => held.values().includes('slow 2'));
  t.match(held.consumer.status(), { state: 'running', rebuilds: 0 });
  t.equal(held.values().filter((text) => text === 'slow 1').length, 1, 'it came once');
  t.equal(held.assigned.length, 2, 'nobody joined anew');
});

test('a SyntaxError out of the handler ends nothing: the batch comes again, then the next', async (t) => {
  const { brokers } = await kafkaForTest(t);
  const topic = await makeTopic(brokers);
  const log = recordingLog();
  const send = sender(t, brokers, topic);
  await send(0, '{"broken');
  let attempts = 0;
  const watched = await consume(t, brokers, topic, randomName('group'), {
    log,
    batch: async ({ records }) => {
      attempts += 1;
      if (attempts < 3) JSON.parse(records[0]!.value!.toString());
    },
  });
  await until('the third attempt', () => watched.records.length === 1);
  await send(0, 'next');
  await until('the next record', () => watched.records.length === 2);
  t.equal(attempts, 4);
  t.equal(watched.consumer.status().rebuilds, 0);
  const said = log.lines.filter(({ level }) => level === 'error');
  t.equal(said.length, 2);
  t.match(said[0]?.message, /failed/);
});

test('handlers that throw when told of an assignment end nothing', async (t) => {
  const { brokers } = await kafkaForTest(t);
  const topic = await makeTopic(brokers);
  const records: FetchedRecord[] = [];
  const fail = () => {
    throw new TypeError('a mistake');
  };
  const consumer = new WatchedConsumer({
    settings: settingsFor(brokers),
    groupId: randomName('group'),
    topics: [topic],
    clock,
    log: silentLog,
    handlers: { assigned: fail, revoked: fail, batch: async (batch) => void records.push(...batch.records) },
  });
  t.teardown(() => consumer.stop());
  await consumer.start();
  await sender(t, brokers, topic)(0, 'a');
  await until('the record', () => records.length > 0);
  t.same(
    records.map(({ value }) => String(value)),
    ['a'],
  );
  t.equal(consumer.status().state, 'running');
});

test('a record of 2 MB among small ones is read, although a fetch takes 1 MiB of a partition', async (t) => {
  const { brokers } = await kafkaForTest(t);
  const topic = await makeTopic(brokers, 2, { 'max.message.bytes': '4194304' });
  const send = sender(t, brokers, topic);
  await send(0, 'before');
  await send(1, 'x'.repeat(900_000), 'y'.repeat(900_000));
  await send(0, 'L'.repeat(2_000_000));
  await send(0, 'after');
  const watched = await consume(t, brokers, topic, randomName('group'));
  await until('all five', () => watched.records.length === 5);
  const ofZero = watched.records.filter(({ partition }) => partition === 0);
  t.same(
    ofZero.map(({ value }) => value?.length),
    [6, 2_000_000, 5],
  );
});

test('a consumer whose next records were deleted says how many, and goes on at the oldest', async (t) => {
  const { brokers } = await kafkaForTest(t);
  const topic = await makeTopic(brokers);
  const groupId = randomName('group');
  const judge = await plainAdmin(t, brokers);
  const send = sender(t, brokers, topic);
  for (const text of ['0', '1', '2', '3', '4', '5']) await send(0, text);
  await judge.setOffsets({ groupId, topic, partitions: [{ partition: 0, offset: '1' }] });
  await judge.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '4' }] });
  const log = recordingLog();
  const watched = await consume(t, brokers, topic, groupId, { log });
  await until('the rest', () => watched.records.length === 2);
  t.same(watched.values(), ['4', '5'], 'nothing that is there is skipped');
  const said = log.lines.find(({ fields }) => fields.committed === '1');
  t.match(said, { level: 'error', message: /^3 records .* deleted unread/, fields: { low: '4', high: '6' } });
});

test('a rebuild loses nothing and repeats nothing that was committed', async (t) => {
  const { brokers } = await kafkaForTest(t);
  const topic = await makeTopic(brokers);
  const send = sender(t, brokers, topic);
  const watched = await consume(t, brokers, topic, randomName('group'));
  await send(0, 'a');
  await until('the first', () => watched.records.length === 1);
  watched.consumer.rebuild('the clock stepped');
  await send(0, 'b');
  await until('the second', () => watched.records.length === 2);
  t.same(watched.values(), ['a', 'b']);
  t.match(watched.consumer.status(), { state: 'running', rebuilds: 1 });
  t.same(watched.revoked, [`${topic}/0`]);
});

test('a consumer waits for its topic, says so once, and starts when it is made', { timeout: 90_000 }, async (t) => {
  const { brokers } = await kafkaForTest(t);
  const topic = randomName('later');
  const log = recordingLog();
  const watched = await consume(t, brokers, topic, randomName('group'), { log });
  await until('two attempts', () => watched.consumer.status().rebuilds >= 2, { limitMs: 30_000 });
  t.match(watched.consumer.status(), { state: 'rebuilding', lastError: { code: 'KAFKA_TOPIC_MISSING' } });
  t.equal(log.lines.filter(({ level }) => level !== 'debug').length, 1);
  const judge = await plainAdmin(t, brokers);
  await judge.createTopics({ topics: [{ topic, numPartitions: 1 }] });
  await sender(t, brokers, topic)(0, 'at last');
  await until('the record', () => watched.records.length === 1, { limitMs: 30_000 });
});
