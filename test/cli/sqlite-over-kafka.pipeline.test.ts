import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'tap';
import { stringify } from 'yaml';
import { readAll } from '../helpers/kafka-records.ts';
import { runEricht, startEricht } from '../helpers/run-ericht.ts';
import { freePort, kafkaForTest, randomName, tempDir, until } from '../helpers/stack.ts';

/** node/run/seq of every report in the topic, and of every row of the file, read without a line of our own code. */
async function namesOf(brokers: string[], topic: string, dataDir: string) {
  const records = (await readAll(brokers, topic)).map((body) => JSON.parse(body));
  const database = new DatabaseSync(join(dataDir, 'ericht.db'), { readOnly: true });
  const rows = database.prepare('SELECT node_id, run_id, seq FROM node_health_by_node_date').all();
  database.close();
  return {
    sent: new Set(records.map(({ nodeId, runId, seq }) => `${nodeId}/${runId}/${seq}`)),
    rows: rows.map(({ node_id, run_id, seq }) => `${node_id}/${run_id}/${seq}`),
  };
}

test('SQLite over Kafka: a collector that is killed makes no live node silent, and its successor stores all', async (t) => {
  const folder = await tempDir(t);
  const { brokers } = await kafkaForTest(t);
  const [port, dataDir, topicPrefix] = [await freePort(), join(folder, 'data'), `${randomName('lite')}.`];
  const kafka = { brokers, topicPrefix };
  const config = { clusterId: 'lite', transport: 'kafka', store: 'sqlite', dataDir, kafka, port, interval: '200ms' };
  writeFileSync(join(folder, 'ericht.yaml'), stringify(config));
  const start = (verb: string, ...flags: string[]) => startEricht(t, [verb, ...flags], { folder });
  const ask = async (...args: string[]) => {
    const { code, stdout, stderr } = await runEricht(t, [...args, '-o', 'json'], { folder });
    return { code, stderr, answer: stdout === '' ? undefined : JSON.parse(stdout) };
  };
  const liveInStore = (what: string) =>
    until(what, async () => {
      const { code, answer } = await ask('status');
      return code === 0 && answer.nodes[0]?.state === 'live' && answer.pipeline.collectorLag < 5;
    });

  const agent = start('agent', '--node-id', 'board-1');
  const dashboard = start('dashboard');
  const killed = start('collector');
  await liveInStore('the node is live in the store');
  const page = await until('the page reads store and topic', async () => {
    const { answer } = await ask('status', '--server', `http://127.0.0.1:${port}`);
    return answer?.nodes[0]?.state === 'live' && answer.pipeline.store.reachable ? answer : undefined;
  });
  t.match(page.pipeline, { transport: 'kafka', readable: true, store: { kind: 'sqlite', reachable: true } });

  killed.process.kill('SIGKILL');
  await killed.ended;
  // More than the time after which a node that is not heard is called silent.
  const behind = await until('the collector is far behind', async () => {
    const now = await ask('status');
    return now.answer?.pipeline.collectorLag > 20 ? now : undefined;
  });
  t.equal(behind.code, 0);
  t.match(behind.answer.nodes, [{ nodeId: 'board-1', state: 'live' }], 'what Kafka has counts, not only the store');
  t.equal((await ask('audit')).answer.totals.lost, 0, 'what is not stored yet is not lost');

  const collector = start('collector');
  await liveInStore('the successor has caught up');
  agent.process.kill('SIGTERM');
  t.equal((await agent.ended).code, 0);
  await until('the last report is stored', async () => (await ask('status')).answer.nodes[0]?.state === 'stopped');
  for (const service of [collector, dashboard]) {
    service.process.kill('SIGTERM');
    t.equal((await service.ended).code, 0);
  }
  const { sent, rows } = await namesOf(brokers, `${topicPrefix}node-reports`, dataDir);
  t.equal(new Set(rows).size, rows.length, 'no row is there twice');
  t.same(new Set(rows), sent);
  t.match((await ask('audit')).answer.totals, { stored: sent.size, lost: 0, duplicates: 0, unknown: 0, onItsWay: 0 });
});
