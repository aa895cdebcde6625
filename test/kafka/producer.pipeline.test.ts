import t, { test } from 'tap';
import { RecordRefusedError } from '../../kafka/errors.ts';
import { partitionForKey } from '../../kafka/partitioning.ts';
import { MAX_SEND_BYTES, OnePartitionProducer } from '../../kafka/producer.ts';
import { systemClock as clock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { makeTopic, plainAdmin, readAll, settingsFor } from '../helpers/kafka-records.ts';
import { freePort, kafkaForTest, randomName, type Teardown } from '../helpers/stack.ts';

// The whole file; tap gives 30 s unless told.
t.setTimeout(120_000);

function producerFor(t: Teardown, brokers: string[], sendTimeoutMs = 30_000): OnePartitionProducer {
  const producer = new OnePartitionProducer({ settings: settingsFor(brokers), clock, log: silentLog, sendTimeoutMs });
  t.teardown(() => producer.stop());
  return producer;
}

const values = (...texts: string[]) => texts.map((text) => ({ value: Buffer.from(text) }));

test('records of a key arrive in order in the partition of that key, whatever is sent at the same time', async (t) => {
  const { brokers } = await kafkaForTest(t);
  const topic = await makeTopic(brokers, 6);
  const producer = producerFor(t, brokers);
  const sends = Array.from({ length: 20 }, (_, n) =>
    producer.send(topic, { key: 'case/pi-1' }, values(`${n}a`, `${n}b`)),
  );
  await Promise.all(sends);
  const wanted = Array.from({ length: 20 }, (_, n) => [`${n}a`, `${n}b`]).flat();
  t.same(await readAll(brokers, topic), wanted);
  const ends = await (await plainAdmin(t, brokers)).fetchTopicOffsets(topic);
  const [only, ...others] = ends.filter(({ high }) => high !== '0');
  t.equal(only?.partition, partitionForKey('case/pi-1', 6));
  t.same(others, []);
});

test('a partition can be named, with a key or without', async (t) => {
  const { brokers } = await kafkaForTest(t);
  const topic = await makeTopic(brokers, 3);
  const producer = producerFor(t, brokers);
  await producer.send(topic, { partition: 2, key: Buffer.from('k') }, values('with'));
  await producer.send(topic, { partition: 2, key: null }, [{ value: null, headers: { why: 'tombstone' } }]);
  await producer.send(topic, { partition: 2 }, []);
  const ends = await (await plainAdmin(t, brokers)).fetchTopicOffsets(topic);
  t.same(Object.fromEntries(ends.map(({ partition, high }) => [partition, high])), { 0: '0', 1: '0', 2: '2' });
});

test('more than one send takes is cut into several, in order', async (t) => {
  const { brokers } = await kafkaForTest(t);
  const topic = await makeTopic(brokers, 1, { 'max.message.bytes': String(MAX_SEND_BYTES) });
  const producer = producerFor(t, brokers);
  const many = Array.from({ length: 40 }, (_, n) => ({ value: Buffer.alloc(60_000, `${n} `) }));
  await producer.send(topic, { key: 'k' }, many);
  t.same(
    (await readAll(brokers, topic)).map((text) => text.slice(0, 12)),
    many.map(({ value }) => value.subarray(0, 12).toString()),
  );
});

test('a record that is too large is named by its place; its elders are stored, and the rest goes when it is gone', async (t) => {
  const { brokers } = await kafkaForTest(t);
  const topic = await makeTopic(brokers, 1, { 'max.message.bytes': '20000' });
  const producer = producerFor(t, brokers);
  const large = { value: Buffer.alloc(30_000, 'x') };
  const records = [...values('a', 'b'), large, ...values('c')];
  const refusal = await producer.send(topic, { key: 'k' }, records).catch((error) => error);
  t.ok(refusal instanceof RecordRefusedError);
  t.match(refusal, { code: 'KAFKA_RECORD_REFUSED', retryable: false, accepted: 2 });
  t.match(refusal.why, /MESSAGE_TOO_LARGE/);

  const again = await producer.send(topic, { key: 'k' }, records.slice(2)).catch((error) => error);
  t.match(again, { code: 'KAFKA_RECORD_REFUSED', accepted: 0 }, 'now it is the first');
  await producer.send(topic, { key: 'k' }, records.slice(3));
  t.same(await readAll(brokers, topic), ['a', 'b', 'c']);
});

test('a batch that is too large only as a whole goes through one by one', async (t) => {
  const { brokers } = await kafkaForTest(t);
  const topic = await makeTopic(brokers, 1, { 'max.message.bytes': '20000' });
  const producer = producerFor(t, brokers);
  await producer.send(
    topic,
    { key: 'k' },
    Array.from({ length: 5 }, () => ({ value: Buffer.alloc(9000, 'y') })),
  );
  t.equal((await readAll(brokers, topic)).length, 5);
});

test('a topic that is missing is waited for by whoever sends', async (t) => {
  const { brokers } = await kafkaForTest(t);
  const producer = producerFor(t, brokers);
  const error = await producer.send(randomName('nowhere'), { key: 'k' }, values('a')).catch((thrown) => thrown);
  t.match(error, { code: 'KAFKA_TOPIC_MISSING', retryable: true });
  const topic = await makeTopic(brokers);
  await producer.send(topic, { key: 'k' }, values('a'));
  t.same(await readAll(brokers, topic), ['a'], 'another topic is not hurt');
});

test('without Kafka start() succeeds, send() rejects to be tried again, and stop() is quick', async (t) => {
  const producer = producerFor(t, [`127.0.0.1:${await freePort()}`], 5000);
  await producer.start();
  const error = await producer.send('any', { key: 'k' }, values('a')).catch((thrown) => thrown);
  t.match(error, { code: 'KAFKA_UNREACHABLE', retryable: true });
  const hanging = producer.send('any', { key: 'k' }, values('a')).catch((thrown) => thrown);
  const from = clock.monotonicMs();
  await Promise.all([producer.stop(), producer.stop()]);
  t.ok(clock.monotonicMs() - from < 3000, 'within 3 s');
  t.match(await hanging, { name: 'ErichtError' });
  t.match(await producer.send('any', { key: 'k' }, values('a')).catch((thrown) => thrown), { code: 'STOPPED' });
});
