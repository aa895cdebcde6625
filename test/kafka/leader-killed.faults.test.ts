import t, { test } from 'tap';
import { OnePartitionProducer } from '../../kafka/producer.ts';
import { TopicTail } from '../../kafka/tail.ts';
import { systemClock as clock } from '../../lib/clock.ts';
import { ErichtError } from '../../lib/errors.ts';
import { silentLog } from '../../lib/log.ts';
import { makeTopic, plainAdmin, readAll, settingsFor } from '../helpers/kafka-records.ts';
import { ownKafka, until } from '../helpers/stack.ts';

// The whole file; tap gives 30 s unless told.
t.setTimeout(500_000);

const PARTITIONS = 6;
const SENDS_PER_PARTITION = 60;
const RECORDS_PER_SEND = 5;
const KILL_AFTER_SENDS = 90;
/** For one send, tried again and again: three times what the brokers take to elect another leader. */
const TAKEN_LIMIT_MS = 60_000;

/*
 * A plain kafkajs send over all partitions resolves here without having sent those of the killed leader: it keeps the
 * answer of each broker over its retries, and skips partitions that have moved to a broker which already answered. That
 * loses about 20 of the 60 records of one send, in each run.
 */
test('a leader killed in the middle of sends to several partitions loses no acknowledged record', {
  timeout: 180_000,
}, async (t) => {
  const kafka = await ownKafka(t, { nodes: 3 });
  const topic = await makeTopic(kafka.brokers, PARTITIONS);
  const settings = settingsFor(kafka.brokers);
  const tailed: string[] = [];
  const tail = new TopicTail({
    settings,
    groupPrefix: 'tail-',
    topics: [{ topic, from: 'end' }],
    clock,
    log: silentLog,
    onRecord: ({ value }) => tailed.push(value!.toString()),
  });
  t.teardown(() => tail.stop());
  await tail.start();
  await until('the tail reads', () => tail.readable());
  const acknowledged = new Set<string>();
  const refusals: string[] = [];
  let sends = 0;
  let killed = false;

  // Each partition has a sender of its own, as each board does: all of them are under way when the leader dies.
  const sendTo = async (partition: number) => {
    const producer = new OnePartitionProducer({ settings, clock, log: silentLog });
    for (let n = 0; n < SENDS_PER_PARTITION; n += 1) {
      const values = Array.from({ length: RECORDS_PER_SEND }, (_, i) => `${partition}:${n}:${i}`);
      const records = values.map((value) => ({ value: Buffer.from(value) }));
      const taken = async () => {
        try {
          await producer.send(topic, { partition }, records);
          return true;
        } catch (error) {
          if (!(error instanceof ErichtError) || !error.retryable) throw error;
          refusals.push(error.message);
          return false;
        }
      };
      const limits = { limitMs: TAKEN_LIMIT_MS, everyMs: 100 };
      await until(`send ${n} to partition ${partition} is taken`, taken, limits).catch((cause) => {
        throw new Error(`${cause.message}; refused at last: ${refusals.slice(-3).join('; ')}`, { cause });
      });
      for (const value of values) acknowledged.add(value);
      sends += 1;
      if (sends === KILL_AFTER_SENDS) {
        const { topics } = await (await plainAdmin(t, kafka.brokers)).fetchTopicMetadata({ topics: [topic] });
        const leader = topics[0]!.partitions.find(({ partitionId }) => partitionId === partition)!.leader;
        // Node ids count from 1, in the order of the brokers.
        await kafka.kill(leader - 1);
        killed = true;
        await until('the tail knows that it cannot read all', () => !tail.readable(), { limitMs: 2500 });
      }
    }
    await producer.stop();
  };
  await Promise.all(Array.from({ length: PARTITIONS }, (_, partition) => sendTo(partition)));

  t.ok(killed);
  t.equal(acknowledged.size, PARTITIONS * SENDS_PER_PARTITION * RECORDS_PER_SEND);
  const stored = await readAll(kafka.brokers, topic);
  const distinct = new Set(stored);
  const lost = [...acknowledged].filter((value) => !distinct.has(value));
  t.same(lost, [], 'acknowledged and not in the log');
  await until('the tail has them all', () => new Set(tailed).size >= distinct.size, { limitMs: 60_000 });
  await until('the tail reads all again', () => tail.readable());
  t.equal(tailed.length, stored.length, 'the tail saw each record of the log once');
  const twice = stored.length - distinct.size;
  t.comment(`${acknowledged.size} acknowledged, 0 lost, ${twice} twice, ${refusals.length} sends tried again`);
});
