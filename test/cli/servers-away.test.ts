import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { stringify } from 'yaml';
import { freePort } from '../helpers/free-port.ts';
import { runEricht, startEricht } from '../helpers/run-ericht.ts';
import { tempDir } from '../helpers/temp.ts';
import { until } from '../helpers/until.ts';

test('a page without Kafka and Cassandra says why of each, on the page, in its answers and once in its log', async (t) => {
  const folder = await tempDir(t);
  const [kafkaPort, cassandraPort, port] = [await freePort(), await freePort(), await freePort()];
  const config = {
    transport: 'kafka',
    store: 'cassandra',
    kafka: { brokers: [`127.0.0.1:${kafkaPort}`] },
    stores: { cassandra: { contactPoints: ['127.0.0.1'], port: cassandraPort } },
    port,
  };
  writeFileSync(join(folder, 'ericht.yaml'), stringify(config));
  const page = startEricht(t, ['dashboard'], { folder });
  const status = await until('both are known to be away', async () => {
    const { stdout } = await runEricht(t, ['status', '--server', `http://127.0.0.1:${port}`, '-o', 'json'], { folder });
    const { pipeline } = stdout === '' ? {} : JSON.parse(stdout);
    return pipeline?.problem && pipeline.store.problem !== 'not asked yet' ? pipeline : undefined;
  });
  t.match(status, {
    readable: false,
    problem: new RegExp(`connect ECONNREFUSED 127\\.0\\.0\\.1:${kafkaPort}.*Check that Kafka runs`),
    store: { reachable: false, problem: new RegExp(`cannot reach Cassandra at 127\\.0\\.0\\.1:${cassandraPort}`) },
  });
  await until('several attempts are over', async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/api/status`);
    const { pipeline, at } = (await answer.json()) as { pipeline: { since: number }; at: number };
    return at - pipeline.since > 4000;
  });
  const lines = page.stdout().trim().split('\n');
  t.equal(lines.filter((line) => line.includes('ECONNREFUSED') && line.includes(`:${kafkaPort}`)).length, 1);
  t.equal(lines.filter((line) => line.includes("the store can't be read yet")).length, 1);
});

test('status shows what is stored while Kafka is away, with the reason; audit can not judge and exits 3', async (t) => {
  const folder = await tempDir(t);
  const dataDir = join(folder, 'data');
  const made = await runEricht(t, ['start', '--for', '2s', '--port', '0', '--data-dir', dataDir], { folder });
  t.equal(made.code, 0);
  const port = await freePort();
  const config = { transport: 'kafka', store: 'sqlite', dataDir, kafka: { brokers: [`127.0.0.1:${port}`] } };
  writeFileSync(join(folder, 'ericht.yaml'), stringify(config));
  const { code, stdout } = await runEricht(t, ['status', '-o', 'json'], { folder });
  t.equal(code, 4);
  const { pipeline, nodes, sentence } = JSON.parse(stdout);
  t.equal(nodes.length, 1);
  t.match(pipeline, { readable: false, problem: /ECONNREFUSED/, store: { kind: 'sqlite', reachable: true } });
  t.notMatch(sentence, / for /, 'nobody here knows for how long');
  const words = await runEricht(t, ['status'], { folder });
  t.match(words.stdout, /^Pipeline {3}Kafka not readable, 0 brokers \(.*ECONNREFUSED/m);
  const audit = await runEricht(t, ['audit'], { folder });
  t.equal(audit.code, 3);
  t.match(audit.stderr, new RegExp(`^ericht: .*127\\.0\\.0\\.1:${port}`));
});
