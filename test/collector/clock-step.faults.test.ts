import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { fakeTimeEnvironment } from '../helpers/faketime.ts';
import { judge, rawClient, readLedger, readRawRows } from '../helpers/judge.ts';
import { LineProcess } from '../helpers/line-process.ts';
import { cassandraForTest, kafkaForTest, randomKeyspace, randomName, tempDir, until } from '../helpers/stack.ts';

const LIMIT_MS = 300_000;
const MISSING = !process.env.ERICHT_TEST_FAKETIME && 'ERICHT_TEST_FAKETIME does not name a libfaketime';

t.setTimeout(LIMIT_MS);
if (MISSING && process.env.CI) t.fail(MISSING);

const title = 'a collector whose wall clock is stepped by -1 h and +300 days goes on, with its jobs, and says little';
t.test(title, { timeout: LIMIT_MS, skip: MISSING }, async (t) => {
  const [kafka, cassandra, folder] = [await kafkaForTest(t), await cassandraForTest(t), await tempDir(t)];
  const [prefix, keyspace, ledger] = [`${randomName('step')}.`, randomKeyspace(), join(folder, 'ledger')];
  const clockFile = join(folder, 'clock');
  // Replaced in one piece: the library reads it at any time.
  const setClock = async (offset: string) => {
    await writeFile(`${clockFile}.new`, `${offset}\n`);
    await rename(`${clockFile}.new`, clockFile);
  };
  await setClock('+0');
  const servers = ['--kafka', JSON.stringify(kafka), '--cassandra', JSON.stringify(cassandra)];
  const collector = new LineProcess(
    t,
    './collector-process.ts',
    [...servers, '--prefix', prefix, '--keyspace', keyspace, '--job', '*/5 * * * * *'],
    // Only this process; its monotonic clock stays true, as it does on a board that gets its time.
    fakeTimeEnvironment({ file: clockFile }),
  );
  await collector.first('started', 120_000);
  const publisher = new LineProcess(t, './publisher-process.ts', [
    ...['--brokers', kafka.brokers.join(','), '--prefix', prefix, '--ledger', ledger],
    ...['--nodes', 'a,b', '--rate', '10', '--spool', join(folder, 'spool')],
  ]);
  await publisher.first('started');
  await collector.first('written');
  await collector.first('job');

  for (const step of ['-1h', '+300d', '-1h', '+0']) {
    const before = { jobs: collector.of('job').length, written: collector.of('written').length };
    const rebuilds = collector.last('status')?.rebuilds ?? 0;
    await setClock(step);
    // Twice: once because of the step, and again by the trigger itself.
    await until(`after ${step} the jobs run`, () => collector.of('job').length >= before.jobs + 3, { limitMs: 60_000 });
    await until(`after ${step} the consumer is rebuilt`, () => (collector.last('status')?.rebuilds ?? 0) > rebuilds);
    await until(`after ${step} rows are written`, () => collector.of('written').length > before.written + 5, {
      limitMs: 60_000,
    });
  }
  await publisher.kill('SIGTERM');
  await until('all is committed', () => collector.last('status')?.lag === 0, { limitMs: 30_000 });
  const told = await readLedger(ledger);
  const client = rawClient(t, cassandra);
  const table = `${keyspace}.node_health_by_node_date`;
  const { acknowledged, rows, lost, duplicates } = judge(told, await readRawRows(client, keyspace));
  t.ok(acknowledged > 100, `${acknowledged} acknowledged, ${rows} rows`);
  t.strictSame(duplicates, []);
  t.strictSame(lost.slice(0, 5), [], 'lost');
  const stamps = await client.execute(`SELECT max(WRITETIME(appended_at)) AS newest FROM ${table}`);
  const newestMs = Number(stamps.first()?.get('newest')) / 1000;
  t.ok(newestMs < Date.now() + 60_000, 'no row is stamped ahead of time: it could not be written again until then');
  t.notOk(collector.hasEnded, 'the collector lives');
  t.comment(`${collector.stderr.length} log lines:\n${collector.stderr.join('\n').slice(0, 6000)}`);
  t.ok(collector.stderr.length < 100, `${collector.stderr.length} log lines`);
});
