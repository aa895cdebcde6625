import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { CassandraStore } from '../collector/store/cassandra/store.ts';
import type { TelemetryStore } from '../collector/store/port.ts';
import { SqliteStore } from '../collector/store/sqlite/store.ts';
import { systemClock } from '../lib/clock.ts';
import { silentLog } from '../lib/log.ts';
import { series } from '../test/collector/store/samples.ts';

/**
 * How fast each store takes golden reports (Pi 4, 2 rails, 10 containers), and what a node's day weighs in SQLite.
 *   node bench/store.ts [--rows N] [--batch N] [--cassandra HOST:PORT/DATACENTER]
 */
const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '86400' },
    batch: { type: 'string', default: '1000' },
    cassandra: { type: 'string' },
  },
});
const count = Number(values.rows);
const batch = Number(values.batch);
const common = { retention: { rawMs: 7 * 86_400_000 }, clock: systemClock, log: silentLog };

const directory = await mkdtemp(join(tmpdir(), 'ericht-bench-'));
try {
  const sqlite = new SqliteStore({ ...common, directory, maxBytes: 2 ** 34 });
  const result = await measure(sqlite);
  const { size } = await stat(join(directory, 'ericht.db'));
  print({ ...result, fileBytes: size, bytesPerRow: Math.round(size / count) });
} finally {
  await rm(directory, { recursive: true, force: true });
}

if (values.cassandra) {
  const [, host = '', port = '9042', localDataCenter = ''] = /^(.+):(\d+)\/(.+)$/.exec(values.cassandra) ?? [];
  const keyspace = 'ericht_bench';
  const address = { contactPoints: [host], port: Number(port), localDataCenter, keyspace, replication: 1 };
  print(await measure(new CassandraStore({ ...common, ...address, migrate: true })));
}

async function measure(store: TelemetryStore): Promise<Record<string, unknown>> {
  await store.start();
  // Two batches are always under way, as in a collector that fetches while it writes.
  let wallMs = 0;
  const cpu = process.cpuUsage();
  let pending: Promise<unknown> = Promise.resolve();
  const midnight = Math.floor(Date.now() / 86_400_000) * 86_400_000 - 86_400_000;
  const rows = series({ clusterId: 'c', count: batch, fromMs: midnight });
  for (let at = 0; at < count; at += batch) {
    const moved = rows.slice(0, count - at).map((row, index) => {
      const [seq, timestamp] = [at + index, midnight + (at + index) * 1000];
      return { ...row, report: { ...row.report, seq, timestamp }, placedAt: timestamp, appendedAt: timestamp + 5 };
    });
    const startedMs = systemClock.monotonicMs();
    const write = store.writeReports(moved);
    await pending;
    pending = write;
    wallMs += systemClock.monotonicMs() - startedMs;
  }
  const startedMs = systemClock.monotonicMs();
  await pending;
  wallMs += systemClock.monotonicMs() - startedMs;
  const { user, system } = process.cpuUsage(cpu);
  await store.stop();
  const cpuSeconds = (user + system) / 1e6;
  return {
    store: store.kind,
    rows: count,
    rowsPerSecond: Math.round((count / wallMs) * 1000),
    cpuSecondsPer100kRows: Number(((cpuSeconds / count) * 100_000).toFixed(2)),
  };
}

function print(result: Record<string, unknown>): void {
  process.stdout.write(`${JSON.stringify(result)}\n`);
}
