import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { stringify } from 'yaml';
import { systemClock as clock, sleep } from '../../lib/clock.ts';
import { runEricht, startEricht } from '../helpers/run-ericht.ts';
import { freePort, kafkaForTest, ownCassandra, randomKeyspace, randomName, tempDir, until } from '../helpers/stack.ts';

test('with Cassandra frozen in the middle of writes, collector and page stop within 6 s and with 0', async (t) => {
  const folder = await tempDir(t);
  const [{ brokers }, cassandra] = await Promise.all([kafkaForTest(t), ownCassandra(t)]);
  const { contactPoints, port, localDataCenter } = cassandra;
  const config = {
    transport: 'kafka',
    store: 'cassandra',
    dataDir: join(folder, 'data'),
    interval: '100ms',
    kafka: { brokers, topicPrefix: `${randomName('frozen')}.` },
    stores: { cassandra: { contactPoints, port, localDataCenter, keyspace: randomKeyspace('frozen') } },
    port: await freePort(),
  };
  writeFileSync(join(folder, 'ericht.yaml'), stringify(config));
  const [agent, collector, dashboard] = ['agent', 'collector', 'dashboard'].map((verb) =>
    startEricht(t, [verb], { folder }),
  );
  await until('reports are stored', async () => (await runEricht(t, ['status'], { folder })).code === 0);
  cassandra.pause();
  // By then a write is under way, and the driver still takes the server for well.
  await sleep(clock, 4000);
  const askedAt = performance.now();
  for (const service of [collector, dashboard]) service?.process.kill('SIGTERM');
  t.equal((await collector?.ended)?.code, 0);
  t.equal((await dashboard?.ended)?.code, 0);
  const stopMs = performance.now() - askedAt;
  t.ok(stopMs < 6000, `stopped after ${Math.round(stopMs)} ms`);
  cassandra.resume();
  agent?.process.kill('SIGTERM');
  t.equal((await agent?.ended)?.code, 0);
});
