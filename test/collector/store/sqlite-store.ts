import { SqliteStore, type SqliteStoreOptions } from '../../../collector/store/sqlite/store.ts';
import { systemClock } from '../../../lib/clock.ts';
import { silentLog } from '../../../lib/log.ts';
import type { Teardown } from '../../helpers/temp.ts';

export const MIB = 1024 * 1024;
export const DAY_MS = 86_400_000;
const RAW_MS = 7 * DAY_MS;
export const everything = { clusterId: 'c', nodeId: 'pi-01', fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };

/** A store that is stopped after the test. */
export function storeIn(t: Teardown, directory: string, more: Partial<SqliteStoreOptions> = {}): SqliteStore {
  const retention = { rawMs: RAW_MS };
  const store = new SqliteStore({
    directory,
    retention,
    maxBytes: 256 * MIB,
    clock: systemClock,
    log: silentLog,
    ...more,
  });
  t.teardown(() => store.stop());
  return store;
}

/** How many rows of node c/pi-01 it answers. */
export async function countOf(store: SqliteStore): Promise<number> {
  let count = 0;
  for await (const page of store.keys(everything)) count += page.length;
  return count;
}
