import t, { test } from 'tap';
import { WatchedConsumer } from '../../kafka/consumer.ts';
import { OnePartitionProducer } from '../../kafka/producer.ts';
import { systemClock as clock } from '../../lib/clock.ts';
import { makeTopic, recordingLog, settingsFor } from '../helpers/kafka-records.ts';
import { kafkaForTest, randomName, type Teardown, until } from '../helpers/stack.ts';

// The whole file; tap gives 30 s unless told.
t.setTimeout(120_000);

const HOUR_MS = 3_600_000;
const wallNow = Date.now;

/** What a step of the board's clock is for this process: kafkajs reads Date.now for heartbeats and timeouts. */
function stepWallClock(t: Teardown, byMs: number): void {
  Date.now = () => wallNow() + byMs;
  t.teardown(() => {
    Date.now = wallNow;
  });
}

async function pipe(t: Teardown, muteAfterMs: number) {
  const { brokers } = await kafkaForTest(t);
  const topic = await makeTopic(brokers);
  const settings = settingsFor(brokers);
  const log = recordingLog();
  const values: string[] = [];
  const commits: boolean[] = [];
  const consumer = new WatchedConsumer({
    settings,
    groupId: randomName('group'),
    topics: [topic],
    clock,
    log,
    sessionTimeoutMs: 6000,
    muteAfterMs,
    handlers: {
      assigned() {},
      revoked() {},
      batch: async ({ records }, assignment) => {
        for (const { value } of records) values.push(value!.toString());
        commits.push(await assignment.commit((BigInt(records.at(-1)!.offset) + 1n).toString()));
      },
    },
  });
  const producer = new OnePartitionProducer({ settings, clock, log });
  t.teardown(() => consumer.stop());
  t.teardown(() => producer.stop());
  await consumer.start();
  const send = (text: string) => producer.send(topic, { key: 'k' }, [{ value: Buffer.from(text) }]);
  await send('before');
  await until('before', () => values.includes('before'));
  return { consumer, values, commits, send, log };
}

for (const [title, byMs] of [
  ['an hour back', -HOUR_MS],
  ['300 days ahead', 300 * 24 * HOUR_MS],
] as const) {
  test(`the wall clock steps ${title}: a rebuilt consumer goes on, and few words are made of it`, async (t) => {
    const { consumer, values, commits, send, log } = await pipe(t, 60_000);
    stepWallClock(t, byMs);
    consumer.rebuild('the wall clock was stepped');
    await send('after');
    await until('after', () => values.includes('after') && commits.at(-1) === true);
    t.match(consumer.status(), { state: 'running', rebuilds: 1 });
    t.ok(log.lines.length < 100, `${log.lines.length} lines, debug included`);
  });
}

test('nobody tells of a step back: the watchdog misses the heartbeats', { timeout: 60_000 }, async (t) => {
  const { consumer, values, commits, send } = await pipe(t, 4000);
  stepWallClock(t, -HOUR_MS);
  await until('the rebuild', () => consumer.status().rebuilds === 1, { limitMs: 30_000 });
  t.match(consumer.status().lastError?.why, /no fetch or heartbeat/);
  await send('after');
  await until('after', () => values.includes('after') && commits.at(-1) === true);
});
