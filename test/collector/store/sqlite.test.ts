import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { SqliteStore } from '../../../collector/store/sqlite/store.ts';
import { systemClock } from '../../../lib/clock.ts';
import { silentLog } from '../../../lib/log.ts';
import { tempDir } from '../../helpers/temp.ts';
import { conformance, RAW_MS } from './conformance.ts';

conformance(async (t) => {
  const directory = await tempDir(t);
  const options = { directory, retention: { rawMs: RAW_MS }, maxBytes: 2 ** 30, clock: systemClock, log: silentLog };
  const store = new SqliteStore(options);
  t.teardown(() => store.stop());
  await store.start();
  const judge = new DatabaseSync(join(directory, 'ericht.db'), { readOnly: true });
  t.teardown(() => judge.close());
  const count = judge.prepare('SELECT count(*) AS n FROM node_health_by_node_date WHERE cluster_id = ?');
  return { store, countRows: async (clusterId) => (count.get(clusterId) as { n: number }).n };
});
