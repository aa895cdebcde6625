import { join } from 'node:path';
import t from 'tap';
import { systemClock as clock, sleep } from '../../lib/clock.ts';
import { judge, rawClient, readLedger, readRawRows } from '../helpers/judge.ts';
import { LineProcess } from '../helpers/line-process.ts';
import { kafkaForTest, ownCassandra, randomKeyspace, randomName, tempDir, until } from '../helpers/stack.ts';

const LIMIT_MS = 300_000;
const PAUSE_MS = 30_000;
/** Far less than the pause: only heartbeats that go on while the batch is held keep the partitions. */
const SESSION_TIMEOUT_MS = 6000;

t.setTimeout(LIMIT_MS);

t.test(
  'Cassandra frozen for 30 s: the collector holds its batches, keeps its partitions, and catches up',
  { timeout: LIMIT_MS },
  async (t) => {
    const [kafka, cassandra, folder] = [await kafkaForTest(t), await ownCassandra(t), await tempDir(t)];
    const { contactPoints, port, localDataCenter } = cassandra;
    const [prefix, keyspace, ledger] = [`${randomName('paused')}.`, randomKeyspace(), join(folder, 'ledger')];
    const collector = new LineProcess(t, './collector-process.ts', [
      ...['--kafka', JSON.stringify(kafka), '--cassandra', JSON.stringify({ contactPoints, port, localDataCenter })],
      ...['--prefix', prefix, '--keyspace', keyspace, '--session-timeout-ms', String(SESSION_TIMEOUT_MS)],
    ]);
    await collector.first('started', 120_000);
    const publisher = new LineProcess(t, './publisher-process.ts', [
      ...['--brokers', kafka.brokers.join(','), '--prefix', prefix, '--ledger', ledger],
      ...['--nodes', 'a,b,c', '--rate', '20', '--spool', join(folder, 'spool')],
    ]);
    await publisher.first('started');
    await collector.first('written');
    const lag = () => collector.last('status')?.lag;
    await until('the lag is known and small', () => (lag() ?? Number.POSITIVE_INFINITY) < 60);
    const rebuilds = collector.last('status')?.rebuilds;

    const lags: number[] = [];
    collector.onLine((line) => {
      if (line.lag !== undefined && line.lag !== lags.at(-1)) lags.push(line.lag);
    });
    cassandra.pause();
    await sleep(clock, PAUSE_MS);
    const problem = collector.last('status')?.problem;
    const heldLag = lag() ?? 0;
    cassandra.resume();
    await until('the lag has fallen', () => (lag() ?? Number.POSITIVE_INFINITY) < 60, { limitMs: 60_000 });
    await publisher.kill('SIGTERM');
    await until('all is committed', () => lag() === 0, { limitMs: 30_000 });

    t.comment(`lag: ${lags.join(' ')}`);
    t.match(problem, /^STORE_/, 'the status tells what is waited for');
    t.ok(heldLag > 600, `the lag grew to ${heldLag}`);
    t.notOk(collector.hasEnded, 'no crash');
    t.equal(collector.last('status')?.rebuilds, rebuilds, 'no rebuilt consumer');
    t.ok(collector.stderr.length < 100, `${collector.stderr.length} log lines`);
    const told = await readLedger(ledger);
    const rows = await readRawRows(rawClient(t, cassandra), keyspace);
    const { acknowledged, lost, duplicates } = judge(told, rows);
    t.comment(`${acknowledged} acknowledged, ${rows.length} rows`);
    t.strictSame([lost, duplicates], [[], []], 'nothing is lost or doubled');
    const counts = collector.last('status')?.counts;
    t.equal(counts?.redelivered, 0, 'and nothing had to come again');
    await collector.kill('SIGTERM');
    t.ok(collector.last('stopped'), 'it stops cleanly');
  },
);
