import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { stringify } from 'yaml';
import { type Running, runEricht, startEricht } from '../helpers/run-ericht.ts';
import {
  cassandraForTest,
  freePort,
  kafkaForTest,
  randomKeyspace,
  randomName,
  type Teardown,
  tempDir,
  until,
} from '../helpers/stack.ts';

const STORED_AT_LEAST = 5;

test('agent, collector and page are three processes, and status and audit agree on what they did', async (t) => {
  const folder = await tempDir(t);
  const [{ brokers }, cassandra] = await Promise.all([kafkaForTest(t), cassandraForTest(t)]);
  const port = await freePort();
  const clusterId = randomName('case');
  const config = {
    clusterId,
    transport: 'kafka',
    store: 'cassandra',
    dataDir: join(folder, 'data'),
    kafka: { brokers, topicPrefix: `${randomName('cli')}.` },
    stores: { cassandra: { ...cassandra, keyspace: randomKeyspace('cli') } },
    port,
  };
  writeFileSync(join(folder, 'ericht.yaml'), stringify(config));
  // The agent first, as on a board that is up before anything else: its reports wait for the topics.
  const services = new Map<string, Running>();
  for (const verb of ['agent', 'dashboard', 'collector']) {
    const flags = verb === 'agent' ? ['--node-id', 'board-1'] : [];
    services.set(verb, startEricht(t, [verb, ...flags], { folder }));
  }

  const ask = async (...args: string[]) => {
    const { code, stdout, stderr } = await runEricht(t, [...args, '-o', 'json'], { folder });
    return { code, answer: stdout === '' ? { stderr } : JSON.parse(stdout) };
  };
  const { answer: status } = await until(
    'the node is live in the store',
    async () => {
      const now = await ask('status');
      return now.code === 0 && now.answer.nodes[0]?.state === 'live' ? now : undefined;
    },
    { limitMs: 60_000 },
  );
  t.match(status, {
    clusterId,
    nodes: [{ nodeId: 'board-1', state: 'live' }],
    pipeline: { transport: 'kafka', readable: true, store: { kind: 'cassandra', reachable: true } },
  });
  t.ok(status.pipeline.brokersOnline >= 1);

  const shown = await until('the page shows the node live', async () => {
    const now = await ask('status', '--server', `http://127.0.0.1:${port}`);
    return now.answer.nodes?.[0]?.state === 'live' ? now.answer : undefined;
  });
  t.match(shown.pipeline, { transport: 'kafka', readable: true });
  await until('some reports are stored', async () => (await ask('audit')).answer.totals?.stored >= STORED_AT_LEAST);

  for (const [verb, running] of services) {
    const stoppedAt = performance.now();
    if (verb === 'collector') {
      await until('the collector has caught up', async () => (await ask('status')).answer.pipeline?.collectorLag === 0);
    }
    const askedAt = performance.now();
    running.process.kill('SIGTERM');
    const { code, stdout, stderr } = await running.ended;
    t.equal(code, 0, `${verb} stops with 0`);
    t.ok(
      performance.now() - askedAt < 5000,
      `${verb} stopped within 5 s (waited ${Math.round(askedAt - stoppedAt)} ms)`,
    );
    t.equal(stderr, '', `${verb} says nothing on standard error`);
    for (const line of stdout.trim().split('\n')) t.equal(JSON.parse(line).service, verb);
  }

  const { code, answer: audit } = await ask('audit');
  t.equal(code, 0);
  t.match(audit.totals, {
    nodes: 1,
    runs: 1,
    lost: 0,
    duplicates: 0,
    unknown: 0,
    waiting: 0,
    onItsWay: 0,
    untoldRuns: 0,
  });
  t.ok(audit.totals.stored > STORED_AT_LEAST);
  const stopped = await ask('status');
  t.match(stopped.answer.nodes, [{ nodeId: 'board-1', state: 'stopped' }]);
});

test('a service over the link alone is refused: what to do is said', async (t) => {
  const folder = await tempDir(t);
  for (const verb of ['agent', 'collector', 'dashboard']) {
    const { code, stdout, stderr } = await runEricht(t, [verb], { folder });
    t.equal(code, 2);
    t.equal(stdout, '');
    t.match(
      stderr,
      new RegExp(`^ericht: ericht ${verb} works over Kafka, and transport is link\\. Set transport: kafka`),
    );
  }
});

async function folderWithServersAway(t: Teardown): Promise<{ folder: string; cassandraPort: number }> {
  const folder = await tempDir(t);
  const [kafkaPort, cassandraPort, port] = [await freePort(), await freePort(), await freePort()];
  const config = {
    transport: 'kafka',
    store: 'cassandra',
    dataDir: join(folder, 'data'),
    kafka: { brokers: [`127.0.0.1:${kafkaPort}`] },
    stores: { cassandra: { contactPoints: ['127.0.0.1'], port: cassandraPort } },
    port,
  };
  writeFileSync(join(folder, 'ericht.yaml'), stringify(config));
  return { folder, cassandraPort };
}

test('with Kafka and Cassandra away, status says which and exits 3', async (t) => {
  const { folder, cassandraPort } = await folderWithServersAway(t);
  const { code, stdout, stderr } = await runEricht(t, ['status', '--timeout', '30s'], { folder });
  t.equal(code, 3);
  t.equal(stdout, '');
  t.match(stderr, new RegExp(`^ericht: .*Cassandra at 127\\.0\\.0\\.1:${cassandraPort}`));
});

for (const verb of ['agent', 'collector', 'dashboard']) {
  test(`${verb} waits for Kafka and Cassandra, and a signal ends the waiting within 5 s`, async (t) => {
    const { folder } = await folderWithServersAway(t);
    const running = startEricht(t, [verb], { folder });
    await until('it says something', () => running.stdout() !== '');
    t.equal(running.process.exitCode, null);
    const askedAt = performance.now();
    running.process.kill('SIGTERM');
    t.equal((await running.ended).code, 0);
    const stopMs = performance.now() - askedAt;
    t.ok(stopMs < 5000, `stopped after ${Math.round(stopMs)} ms`);
  });
}
