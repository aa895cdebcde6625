import { join } from 'node:path';
import t from 'tap';
import { KafkaAsideReader } from '../../collector/aside/kafka-reader.ts';
import { audit } from '../../collector/audit.ts';
import { CassandraStore } from '../../collector/store/cassandra/store.ts';
import { systemClock as clock, sleep } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { judge, rawClient, readLedger, readRawRows } from '../helpers/judge.ts';
import { settingsFor } from '../helpers/kafka-records.ts';
import { LineProcess } from '../helpers/line-process.ts';
import { randomFor } from '../helpers/seeded-random.ts';
import { cassandraForTest, kafkaForTest, randomKeyspace, randomName, tempDir, until } from '../helpers/stack.ts';

const KILLS = process.env.ERICHT_TEST_FULL ? 30 : 10;
const LIMIT_MS = KILLS * 30_000;
const BETWEEN_WRITE_AND_COMMIT = KILLS * 0.6;

t.setTimeout(LIMIT_MS);

t.test(
  'a collector killed again and again, also between write and commit, loses and doubles nothing',
  { timeout: LIMIT_MS },
  async (t) => {
    const random = randomFor(t);
    t.comment(`${KILLS} kills`);
    const [kafka, cassandra, folder] = [await kafkaForTest(t), await cassandraForTest(t), await tempDir(t)];
    const [prefix, keyspace, ledger] = [`${randomName('kill')}.`, randomKeyspace(), join(folder, 'ledger')];
    const servers = ['--kafka', JSON.stringify(kafka), '--cassandra', JSON.stringify(cassandra)];
    const collectorArgs = [...servers, '--prefix', prefix, '--keyspace', keyspace];
    const collector = (pauseMs: number) =>
      new LineProcess(t, './collector-process.ts', [...collectorArgs, '--pause-after-write-ms', String(pauseMs)]);

    let life = collector(0);
    await life.first('started', 120_000);
    const publisher = new LineProcess(t, './publisher-process.ts', [
      ...['--brokers', kafka.brokers.join(','), '--prefix', prefix, '--ledger', ledger],
      ...['--nodes', 'a,b,c', '--rate', '100', '--spool', join(folder, 'spool')],
    ]);
    await publisher.first('started');
    await life.first('written');
    await life.kill();

    const lives = [life];
    let killedBeforeCommit = 0;
    for (let kill = 1; kill < KILLS; kill += 1) {
      const atWrite = kill <= BETWEEN_WRITE_AND_COMMIT;
      life = collector(atWrite ? 400 : 0);
      lives.push(life);
      if (atWrite) {
        // Some writes further each time, so that there is something that was committed before.
        await life.first('started', 120_000);
        await life.nth('written', random.int(1, 12));
        killedBeforeCommit += 1;
      } else {
        await sleep(clock, random.int(200, 12_000));
      }
      await life.kill();
    }
    life = collector(0);
    lives.push(life);
    await life.first('written');
    await sleep(clock, 2000);
    await publisher.kill('SIGTERM');
    const published = publisher.last('stopped')?.nodes ?? [];
    t.equal(published.length, 3, 'the publisher stopped cleanly');

    const client = rawClient(t, cassandra);
    const told = await readLedger(ledger);
    let rows: string[] = [];
    await until(
      'every acknowledged report is stored',
      async () => {
        rows = await readRawRows(client, keyspace);
        return judge(told, rows).lost.length === 0;
      },
      { limitMs: 60_000, everyMs: 1000 },
    ).catch(() => {});
    await life.kill('SIGTERM');

    const written = lives.flatMap(({ lines }) => lines.map(({ rows = 0 }) => rows)).reduce((sum, n) => sum + n, 0);
    const redelivered = lives.reduce(
      (sum, { lines }) => sum + (lines.at(-1)?.counts ?? lastCounts(lines)).redelivered,
      0,
    );
    const { acknowledged, lost, duplicates } = judge(told, rows);
    t.comment(`${acknowledged} acknowledged, ${rows.length} rows, ${written} written, ${redelivered} redelivered`);
    t.ok(acknowledged > 1000, 'the publishers had something to say');
    t.ok(killedBeforeCommit >= 5, `${killedBeforeCommit} kills hit between write and commit`);
    t.ok(redelivered > 0, 'the collectors saw reports again');
    t.ok(written > rows.length, 'and wrote rows again');
    t.strictSame(lost.slice(0, 10), [], 'lost');
    t.strictSame(duplicates.slice(0, 10), [], 'duplicates');

    const settings = settingsFor(kafka.brokers);
    const retention = { rawMs: 7 * 86_400_000 };
    const reader = new CassandraStore({ ...cassandra, keyspace, replication: 1, retention, clock, log: silentLog });
    await reader.start();
    t.teardown(() => reader.stop());
    const aside = new KafkaAsideReader({ settings, topicPrefix: prefix, clock, log: silentLog });
    const { totals } = await audit({ reader, aside, nowMs: clock.now(), graceMs: 0 });
    t.match(totals, { nodes: 3, runs: 3, stored: rows.length, lost: 0, duplicates: 0, untoldRuns: 0 }, 'audit agrees');
  },
);

function lastCounts(lines: LineProcess['lines']) {
  return lines.findLast(({ counts }) => counts)?.counts ?? { redelivered: 0 };
}
