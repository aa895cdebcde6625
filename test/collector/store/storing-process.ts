import { SqliteStore } from '../../../collector/store/sqlite/store.ts';
import { systemClock } from '../../../lib/clock.ts';
import { silentLog } from '../../../lib/log.ts';
import { series } from './samples.ts';

/** Stores batches of 10 rows of node c/pi-01 into the folder given until it is killed, and says what is acknowledged. */
const directory = process.argv[2] ?? '.';
const options = { directory, retention: { rawMs: 604_800_000 }, maxBytes: 2 ** 28, clock: systemClock, log: silentLog };
const store = new SqliteStore(options);
await store.start();
process.stdout.write('open\n');
const rows = series({ clusterId: 'c', count: 10_000, fromMs: Date.now() - 3_600_000, stepMs: 1 });
for (let at = 0; at < rows.length; at += 10) {
  await store.writeReports(rows.slice(at, at + 10));
  process.stdout.write(`stored ${at + 10}\n`);
}
