import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { SETTLING_MS } from '../../../collector/store/sqlite/settled-time.ts';
import { SqliteStore } from '../../../collector/store/sqlite/store.ts';
import { systemClock } from '../../../lib/clock.ts';
import { silentLog } from '../../../lib/log.ts';
import { tempDir } from '../../helpers/temp.ts';
import { conformance, RAW_MS } from './conformance.ts';

conformance(async (t) => {
  const directory = await tempDir(t);
  // It deletes by age only after its clock ran evenly for an hour.
  let behindMs = SETTLING_MS;
  const { now, monotonicMs } = systemClock;
  const clock = { ...systemClock, now: () => now() - behindMs, monotonicMs: () => monotonicMs() - behindMs };
  const options = { directory, retention: { rawMs: RAW_MS }, maxBytes: 2 ** 30, clock, log: silentLog };
  const store = new SqliteStore(options);
  t.teardown(() => store.stop());
  await store.start();
  behindMs = 0;
  const judge = new DatabaseSync(join(directory, 'ericht.db'), { readOnly: true });
  t.teardown(() => judge.close());
  const count = judge.prepare('SELECT count(*) AS n FROM node_health_by_node_date WHERE cluster_id = ?');
  const countRows = async (clusterId: string) => (count.get(clusterId) as { n: number }).n;
  return { store, countRows, tidy: () => store.maintain() };
});
