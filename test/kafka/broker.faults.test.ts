import t, { test } from 'tap';
import { KafkaAdmin } from '../../kafka/admin.ts';
import { WatchedConsumer } from '../../kafka/consumer.ts';
import { OnePartitionProducer } from '../../kafka/producer.ts';
import { TopicTail } from '../../kafka/tail.ts';
import { systemClock as clock } from '../../lib/clock.ts';
import type { Log } from '../../lib/log.ts';
import { makeTopic, recordingLog, settingsFor } from '../helpers/kafka-records.ts';
import { ownKafka, randomName, type Teardown, until } from '../helpers/stack.ts';

// The whole file; tap gives 30 s unless told.
t.setTimeout(500_000);

function everything(t: Teardown, brokers: string[], topic: string, log: Log) {
  const settings = settingsFor(brokers);
  const consumed: string[] = [];
  const tailed: string[] = [];
  const revoked: number[] = [];
  const consumer = new WatchedConsumer({
    settings,
    groupId: randomName('group'),
    topics: [topic],
    clock,
    log,
    sessionTimeoutMs: 6000,
    muteAfterMs: 5000,
    handlers: {
      assigned() {},
      revoked: (_, partition) => revoked.push(partition),
      batch: async ({ records }, assignment) => {
        for (const { value } of records) consumed.push(value!.toString());
        await assignment.commit((BigInt(records.at(-1)!.offset) + 1n).toString()).catch(() => false);
      },
    },
  });
  const tail = new TopicTail({
    settings,
    groupPrefix: 'tail-',
    topics: [{ topic, from: 'end' }],
    clock,
    log,
    onRecord: ({ value }) => tailed.push(value!.toString()),
  });
  const producer = new OnePartitionProducer({ settings, clock, log, sendTimeoutMs: 5000 });
  const admin = new KafkaAdmin({ settings, clock, log, callTimeoutMs: 5000 });
  const send = (text: string) => producer.send(topic, { partition: 0 }, [{ value: Buffer.from(text) }]);
  const sendUntilTaken = (text: string) =>
    until(
      `${text} is taken`,
      () =>
        send(text).then(
          () => true,
          () => false,
        ),
      { limitMs: 60_000 },
    );
  for (const part of [consumer, tail, producer, admin]) t.teardown(() => part.stop());
  return { consumer, tail, producer, admin, consumed, tailed, revoked, send, sendUntilTaken };
}

test('a broker that is killed and comes back: all go on by themselves, and few words are made of it', {
  timeout: 180_000,
}, async (t) => {
  const kafka = await ownKafka(t);
  const topic = await makeTopic(kafka.brokers);
  const log = recordingLog();
  const all = everything(t, kafka.brokers, topic, log);
  await all.consumer.start();
  await all.tail.start();
  await all.send('before');
  await until('before', () => all.consumed.length === 1 && all.tailed.length === 1);

  await kafka.kill();
  t.match(await all.send('meanwhile').catch((error) => error), { code: 'KAFKA_UNREACHABLE', retryable: true });
  await until('the tail sees it', () => !all.tail.readable(), { limitMs: 3000 });
  await until('the consumer is rebuilt', () => all.consumer.status().rebuilds >= 1, { limitMs: 60_000 });
  t.match(all.consumer.status(), { state: 'rebuilding', lastError: { code: 'KAFKA_UNREACHABLE' } });
  await kafka.restart();

  await all.sendUntilTaken('after');
  await until('after', () => all.consumed.includes('after') && all.tailed.includes('after'), { limitMs: 60_000 });
  await until('readable', () => all.tail.readable());
  t.match(await all.admin.brokers(), { online: 1 });
  t.match(all.consumer.status(), { state: 'running' });
  const loud = log.lines.filter(({ level }) => level !== 'debug');
  t.ok(loud.length <= 10, `${loud.length} lines for people, ${log.lines.length} with debug`);
  t.ok(log.lines.length < 100, `${log.lines.length} lines with debug`);
});

test('a broker that freezes: the consumer is rebuilt when it is mute, and all stop in time', {
  timeout: 180_000,
}, async (t) => {
  const kafka = await ownKafka(t);
  const topic = await makeTopic(kafka.brokers);
  const all = everything(t, kafka.brokers, topic, recordingLog());
  await all.consumer.start();
  await all.tail.start();
  await all.send('before');
  await until('before', () => all.consumed.length === 1 && all.tailed.length === 1);

  const { rebuilds } = all.consumer.status();
  kafka.pause();
  const hanging = all.send('frozen').catch((error) => error);
  await until('the tail sees it', () => !all.tail.readable(), { limitMs: 3000 });
  await until('the consumer is rebuilt', () => all.consumer.status().rebuilds > rebuilds, { limitMs: 30_000 });
  t.match(all.consumer.status().lastError?.why, /no fetch or heartbeat was answered/);
  t.match(await hanging, { code: 'KAFKA_UNREACHABLE' }, 'the send has a deadline');
  kafka.resume();
  await all.sendUntilTaken('thawed');
  await until('thawed', () => all.consumed.includes('thawed') && all.tailed.includes('thawed'), { limitMs: 60_000 });

  kafka.pause();
  const cutOff = all.send('never answered').catch((error) => error);
  const question = all.admin.brokers().catch((error) => error);
  const from = clock.monotonicMs();
  await Promise.all([all.consumer.stop(), all.tail.stop(), all.producer.stop(), all.admin.stop()]);
  t.ok(clock.monotonicMs() - from < 6000, `stopped within ${Math.round(clock.monotonicMs() - from)} ms`);
  t.match(await cutOff, { code: 'STOPPED' });
  t.match(await question, { name: 'ErichtError' });
  kafka.resume();
});

test('with Kafka away at the start, all begin when it comes', { timeout: 180_000 }, async (t) => {
  const kafka = await ownKafka(t);
  const topic = await makeTopic(kafka.brokers);
  await kafka.stop();
  const all = everything(t, kafka.brokers, topic, recordingLog());
  await all.consumer.start();
  await all.producer.start();
  await until('an attempt', () => all.consumer.status().lastError);
  t.match(all.consumer.status(), { state: 'rebuilding', lastError: { code: 'KAFKA_UNREACHABLE' } });
  await kafka.restart();
  await all.sendUntilTaken('at last');
  await until('at last', () => all.consumed.includes('at last'), { limitMs: 60_000 });
});
