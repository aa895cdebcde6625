import t, { type Test } from 'tap';
import { audit } from '../../../collector/audit.ts';
import { CassandraStore } from '../../../collector/store/cassandra/store.ts';
import { silentLog } from '../../../lib/log.ts';
import { rawClient } from '../../helpers/judge.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { cassandraForTest, randomKeyspace } from '../../helpers/stack.ts';
import { series } from './samples.ts';

const DAY_MS = 86_400_000;
const RAW_MS = 7 * DAY_MS;
const nothingAside = { async *asideKeys() {} };

t.setTimeout(120_000);

/** A store in a process whose wall clock is `offMs` off, and the rows' remaining seconds as Cassandra tells them. */
async function stand(t: Test, offMs: number) {
  const address = await cassandraForTest(t);
  const keyspace = randomKeyspace('clock');
  const clock = new ManualClock(Date.now() + offMs);
  const options = { ...address, keyspace, replication: 1, retention: { rawMs: RAW_MS }, clock, log: silentLog };
  const store = new CassandraStore({ ...options, migrate: true });
  const judge = rawClient(t, address);
  t.teardown(async () => {
    await store.stop();
    await judge.execute(`DROP KEYSPACE IF EXISTS ${keyspace}`);
  });
  await store.start();
  const livesFor = async () => {
    const { rows } = await judge.execute(
      `SELECT TTL(appended_at) AS seconds FROM ${keyspace}.node_health_by_node_date`,
    );
    return rows.map((row) => Number(row.seconds));
  };
  return { store, clock, livesFor };
}

for (const [title, offMs] of [
  ['300 days ahead', 300 * DAY_MS],
  ['in 1970', -Date.now() + 60_000],
] as const) {
  t.test(`a store whose process is ${title} keeps rows for as long as any other, and hides none`, async (t) => {
    const { store, livesFor } = await stand(t, offMs);
    const rows = series({ clusterId: 'c', count: 20, fromMs: Date.now() - DAY_MS });
    t.ok((await store.writeReports(rows)).every(({ stored }) => stored));
    const seconds = await livesFor();
    t.equal(seconds.length, 20);
    t.ok(
      seconds.every((left) => left > (6 * DAY_MS) / 1000 - 30 && left <= (6 * DAY_MS) / 1000 + 30),
      `${seconds[0]} s`,
    );
    const query = { clusterId: 'c', nodeId: 'pi-01', fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };
    t.equal((await store.reports(query, { order: 'oldest', limit: 100 })).length, 20);
    t.ok(Math.abs((await store.nowMs()) - Date.now()) < 5000);
    t.ok(Math.abs((await store.keptSinceMs()) - (Date.now() - RAW_MS)) < 5000);
    const { totals } = await audit({ reader: store, aside: nothingAside, nowMs: await store.nowMs() });
    t.match(totals, { stored: 20, lost: 0 });
    const old = series({ clusterId: 'c', count: 3, fromMs: Date.now() - RAW_MS - 60_000 });
    await store.writeReports(old);
    t.equal((await livesFor()).length, 20, 'what is truly past its retention is not kept');
  });
}

t.test('a clock that is stepped while the store runs changes nothing', async (t) => {
  const { store, clock, livesFor } = await stand(t, 0);
  clock.jumpWall(300 * DAY_MS);
  const rows = series({ clusterId: 'c', count: 20, fromMs: Date.now() - 60_000 });
  await store.writeReports(rows.slice(0, 10));
  clock.jumpWall(-600 * DAY_MS);
  await store.writeReports(rows.slice(10));
  t.equal((await livesFor()).length, 20);
  clock.sleepThrough(11 * 60_000);
  t.ok(Math.abs((await store.nowMs()) - Date.now()) < 5000, 'the server is asked again');
});
