import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t, { type Test } from 'tap';
import { audit } from '../../collector/audit.ts';
import type { PlacedReport } from '../../collector/record.ts';
import { CassandraStore } from '../../collector/store/cassandra/store.ts';
import type { TelemetryStore } from '../../collector/store/port.ts';
import { SqliteStore } from '../../collector/store/sqlite/store.ts';
import { systemClock as clock } from '../../lib/clock.ts';
import { silentLog } from '../../lib/log.ts';
import { rawClient } from '../helpers/judge.ts';
import { cassandraForTest, randomKeyspace, tempDir } from '../helpers/stack.ts';
import { aReport, CLUSTER } from './doubles.ts';
import { RETENTION } from './pipeline.ts';

const LIMIT_MS = 120_000;
const REPORTS = 600;
const DELETED = [0, 301, 302];
const COPIED = 450;
const COPY_LATER_MS = 500;

t.setTimeout(LIMIT_MS);

/** Reports of two nodes that ended ten minutes ago, also across midnight if it just was. */
function rowsUntil(endMs: number): PlacedReport[] {
  return ['a', 'b'].flatMap((nodeId) =>
    Array.from({ length: REPORTS }, (_, seq) => {
      const placedAt = endMs - 600_000 - (REPORTS - seq) * 1000;
      const goodbye = seq === REPORTS - 1 ? { goodbye: true as const } : {};
      const report = aReport({ nodeId, runId: `run-of-${nodeId}`, seq, timestamp: placedAt, ...goodbye });
      return { report, placedAt, appendedAt: placedAt + 20, offset: String(seq) };
    }),
  );
}

async function namesExactlyThese(t: Test, store: TelemetryStore, nowMs: number, tamper: () => Promise<void> | void) {
  const rows = rowsUntil(nowMs);
  for (const outcome of await store.writeReports(rows)) if (!outcome.stored) t.fail(outcome.why);
  const noAside = { async *asideKeys() {} };
  const before = await audit({ reader: store, aside: noAside, nowMs });
  t.match(before.totals, { stored: 2 * REPORTS, lost: 0, duplicates: 0, unknown: 0, untoldRuns: 0 }, 'before');
  await tamper();
  const { totals, nodes } = await audit({ reader: store, aside: noAside, nowMs });
  t.match(totals, { lost: 3, duplicates: 1, onItsWay: 0, notSent: 0, waiting: 0, unknown: 0 });
  const copied = nowMs - 600_000 - (REPORTS - COPIED) * 1000;
  const times = [copied, copied + COPY_LATER_MS].map((ms) => new Date(ms).toISOString());
  t.match(nodes[0], {
    clusterId: CLUSTER,
    nodeId: 'a',
    runs: [
      {
        runId: 'run-of-a',
        gaps: [
          { from: 0, to: 0, verdict: 'lost' },
          { from: 301, to: 302, verdict: 'lost' },
        ],
        duplicateRows: [{ seq: COPIED, rowTimes: times }],
      },
    ],
  });
  t.strictSame([nodes[0]?.runs[0]?.gaps.length, nodes[0]?.runs[0]?.duplicateRows.length], [2, 1]);
  t.match(nodes[1], { nodeId: 'b', runs: [{ lost: 0, duplicates: 0, gaps: [] }] });
}

t.test(
  'Cassandra: three rows deleted and one copied by hand are named, and nothing else',
  { timeout: LIMIT_MS },
  async (t) => {
    const address = await cassandraForTest(t);
    const keyspace = randomKeyspace();
    const options = {
      ...address,
      keyspace,
      replication: 1,
      retention: RETENTION,
      migrate: true,
      clock,
      log: silentLog,
    };
    const store = new CassandraStore(options);
    t.teardown(() => store.stop());
    await store.start();
    const nowMs = clock.now();
    await namesExactlyThese(t, store, nowMs, async () => {
      const client = rawClient(t, address);
      const table = `${keyspace}.node_health_by_node_date`;
      const { rows } = await client.execute(`SELECT JSON * FROM ${table}`, [], { fetchSize: 5000, prepare: true });
      const all = rows.map((row) => row['[json]'] as string).map((text) => ({ text, fields: JSON.parse(text) }));
      const ofA = (seq: number) => all.find(({ fields }) => fields.node_id === 'a' && fields.seq === seq);
      for (const seq of DELETED) {
        const { cluster_id, node_id, day, ts, run_id } = ofA(seq)?.fields ?? {};
        const key = [cluster_id, node_id, day, new Date(ts), run_id, seq];
        const where = 'cluster_id = ? AND node_id = ? AND day = ? AND ts = ? AND run_id = ? AND seq = ?';
        await client.execute(`DELETE FROM ${table} WHERE ${where}`, key, { prepare: true });
      }
      const { fields } = ofA(COPIED) ?? {};
      const moved = new Date(new Date(fields.ts).getTime() + COPY_LATER_MS).toISOString();
      await client.execute(`INSERT INTO ${table} JSON ?`, [JSON.stringify({ ...fields, ts: moved })], {
        prepare: true,
      });
    });
  },
);

t.test(
  'SQLite: three rows deleted and one copied by hand are named, and nothing else',
  { timeout: LIMIT_MS },
  async (t) => {
    const directory = await tempDir(t);
    const store = new SqliteStore({ directory, retention: RETENTION, maxBytes: 2 ** 30, clock, log: silentLog });
    t.teardown(() => store.stop());
    await store.start();
    const nowMs = clock.now();
    await namesExactlyThese(t, store, nowMs, async () => {
      const file = (await readdir(directory)).find((name) => /\.(db|sqlite3?)$/.test(name));
      const database = new DatabaseSync(join(directory, file ?? 'missing'));
      for (const seq of DELETED) {
        const done = database.prepare("DELETE FROM node_health_by_node_date WHERE node_id = 'a' AND seq = ?").run(seq);
        t.equal(done.changes, 1);
      }
      const columns = database.prepare('SELECT name FROM pragma_table_info(?)').all('node_health_by_node_date');
      const names = columns.map(({ name }) => String(name));
      const values = names.map((name) => (name === 'ts' ? `ts + ${COPY_LATER_MS}` : name));
      const sql = `INSERT INTO node_health_by_node_date (${names}) SELECT ${values} FROM node_health_by_node_date WHERE node_id = 'a' AND seq = ?`;
      t.equal(database.prepare(sql).run(COPIED).changes, 1);
      database.close();
    });
  },
);
