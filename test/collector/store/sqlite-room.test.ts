import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmdirSync, statSync } from 'node:fs';
import { rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { test } from 'tap';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { type Teardown, tempDir } from '../../helpers/temp.ts';
import { goldenReport, placed, series } from './samples.ts';
import { countOf, DAY_MS, everything, MIB, storeIn } from './sqlite-store.ts';

t.setTimeout(120_000);

const SMALL_DISK = ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs'];

test('rows past the retention are deleted in slices, and the rest stays', async (t) => {
  const directory = await tempDir(t);
  const now = Date.now();
  const clock = new ManualClock(now);
  const store = storeIn(t, directory, { clock });
  await store.start();
  const old = series({ clusterId: 'c', count: 2500, fromMs: now - 6 * DAY_MS });
  const young = series({ clusterId: 'c', count: 10, fromMs: now - 60_000 });
  await store.writeReports([...old, ...young]);
  t.equal((await store.maintain()).deletedRows, 0);
  clock.sleepThrough(2 * DAY_MS);
  t.equal(await store.keptSinceMs(), 0);
  const maintained = store.maintain();
  await store.writeReports([placed(goldenReport(7, clock.now(), { clusterId: 'c' }))]);
  t.equal((await maintained).deletedRows, 2500);
  t.equal(await countOf(store), 11);
  t.equal(await store.keptSinceMs(), clock.now() - 7 * DAY_MS);
  t.same(await store.nodes('c'), ['pi-01']);
});

/** Reports with all their lists, some 3.4 KiB each, a minute apart. */
function largeRows(count: number, fromMs: number) {
  return Array.from({ length: count }, (_, index) =>
    placed(goldenReport(index * 10, fromMs + index * 60_000, { clusterId: 'c' })),
  );
}

test('the file stays under its cap: the oldest rows give way, and the store says since when it is whole', async (t) => {
  const maxBytes = 6 * MIB;
  const store = storeIn(t, await tempDir(t), { maxBytes });
  await store.start();
  const fromMs = Date.now() - 3 * DAY_MS;
  const rows = largeRows(4000, fromMs);
  let largest = 0;
  for (let at = 0; at < rows.length; at += 500) {
    const outcomes = await store.writeReports(rows.slice(at, at + 500));
    t.ok(outcomes.every(({ stored }) => stored));
    largest = Math.max(largest, (await store.maintain()).bytes);
  }
  t.ok(largest <= maxBytes, `at most ${largest} of ${maxBytes} bytes`);
  const kept = await countOf(store);
  t.ok(kept > 500 && kept < 2000, `${kept} rows are kept`);
  const [newest] = await store.reports(everything, { order: 'newest', limit: 1 });
  t.equal(newest?.report.seq, 39_990);
  const [oldest] = await store.reports(everything, { order: 'oldest', limit: 1 });
  const since = await store.keptSinceMs();
  t.ok(since > fromMs && since <= oldest!.placedAt, 'nothing that was placed later is missing');
});

test('the cap holds without any maintenance, too', async (t) => {
  const store = storeIn(t, await tempDir(t), { maxBytes: 5 * MIB });
  await store.start();
  const rows = largeRows(3000, Date.now() - 3 * DAY_MS);
  for (let at = 0; at < rows.length; at += 500) await store.writeReports(rows.slice(at, at + 500));
  const kept = await countOf(store);
  t.ok(kept > 400 && kept < 2000, `${kept} rows are kept`);
});

test('of fast nodes each keeps its newest minutes under the cap, and what is kept can be judged', async (t) => {
  const directory = await tempDir(t);
  const maxBytes = 5 * MIB;
  const store = storeIn(t, directory, { maxBytes });
  await store.start();
  const nodes = ['n1', 'n2', 'n3', 'n4'];
  const fromMs = Date.now() - 600_000;
  let largest = 0;
  for (let at = 0; at < 6000; at += 25) {
    const rows = nodes.flatMap((nodeId) =>
      Array.from({ length: 25 }, (_, index) =>
        placed(goldenReport(at + index, fromMs + (at + index) * 100, { clusterId: 'c', nodeId })),
      ),
    );
    await store.writeReports(rows);
    largest = Math.max(largest, sizeOf(directory));
  }
  t.ok(largest <= maxBytes, `at most ${largest} of ${maxBytes} bytes, whatever is between two maintenances`);
  const since = await store.keptSinceMs();
  const newestMs = fromMs + 5999 * 100;
  for (const nodeId of nodes) {
    const query = { clusterId: 'c', nodeId, fromMs: 0, toMs: newestMs + 1 };
    const [newest] = await store.reports(query, { order: 'newest', limit: 1 });
    t.equal(newest?.report.seq, 5999, `${nodeId} keeps its newest`);
    const rows: number[] = [];
    for await (const page of store.keys({ ...query, fromMs: since })) rows.push(...page.map(({ seq }) => seq));
    t.ok(rows.length > 100, `${rows.length} of ${nodeId} are kept`);
    t.equal(rows.length, 6000 - rows[0]!, 'from then on nothing is missing');
  }
});

function sizeOf(directory: string): number {
  return ['ericht.db', 'ericht.db-wal'].reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
}

test('a full disk is told as such, reading goes on, and writing goes on when there is room', {
  skip: cannotMount(),
}, async (t) => {
  const directory = await smallDisk(t);
  const store = storeIn(t, join(directory, 'data'));
  await store.start();
  const first = series({ clusterId: 'c', count: 50, fromMs: Date.now() - 600_000 });
  await store.writeReports(first);
  const { bavail, bsize } = await statfs(directory);
  await writeFile(join(directory, 'ballast'), Buffer.alloc(bavail * bsize - 64 * 1024));
  const more = series({ clusterId: 'c', count: 2000, fromMs: Date.now() - 60_000, stepMs: 1 });
  await t.rejects(store.writeReports(more), { code: 'STORE_FULL', retryable: true, message: /make room/i });
  await t.rejects(store.writeReports(more), { code: 'STORE_FULL' });
  t.equal(await countOf(store), 50, 'nothing is half written');
  t.equal((await store.nodes('c')).length, 1);
  await rm(join(directory, 'ballast'));
  t.ok((await store.writeReports(more)).every(({ stored }) => stored));
  t.equal(await countOf(store), 2050);
});

test('a store on a full disk can be opened again and recovers', { skip: cannotMount() }, async (t) => {
  const directory = await smallDisk(t);
  const before = storeIn(t, join(directory, 'data'));
  await before.start();
  await before.writeReports(series({ clusterId: 'c', count: 50, fromMs: Date.now() - 600_000 }));
  await before.stop();
  const { bavail, bsize } = await statfs(directory);
  await writeFile(join(directory, 'ballast'), Buffer.alloc(bavail * bsize));
  const store = storeIn(t, join(directory, 'data'));
  await store.start().catch((error) => t.match(error, { code: 'STORE_FULL', retryable: true }));
  await rm(join(directory, 'ballast'));
  await store.start().catch((error) => t.match(error, { code: 'STATE_DIR_TAKEN' }));
  await store.writeReports(series({ clusterId: 'c', count: 5, fromMs: Date.now() - 1000, stepMs: 1 }));
  t.equal(await countOf(store), 55);
});

/** A file system of 8 MiB. */
async function smallDisk(t: Teardown): Promise<string> {
  const directory = await tempDir(t);
  execFileSync('mount', [...SMALL_DISK, directory]);
  t.teardown(() => execFileSync('umount', ['-l', directory]));
  return directory;
}

/** Why no file system can be mounted here; false if one can. */
function cannotMount(): string | false {
  const directory = mkdtempSync(join(tmpdir(), 'ericht-mount-'));
  const mounted = spawnSync('mount', [...SMALL_DISK, directory], { stdio: 'ignore' }).status === 0;
  if (mounted) execFileSync('umount', ['-l', directory]);
  rmdirSync(directory);
  return mounted ? false : 'needs the right to mount a small file system';
}
