import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import t, { test } from 'tap';
import { tempDir } from '../../helpers/temp.ts';
import { until } from '../../helpers/until.ts';
import { goldenReport, placed, series } from './samples.ts';
import { countOf, storeIn } from './sqlite-store.ts';

t.setTimeout(120_000);

/** A process of its own that opens the store and says "open", then "stored N" after each acknowledged batch. */
function storingProcess(directory: string) {
  const program = new URL('./storing-process.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [program, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  return { child, said: () => said };
}

test('a folder has one writing process; the lock goes with the process, even by kill -9', async (t) => {
  const directory = await tempDir(t);
  const { child, said } = storingProcess(directory);
  t.teardown(() => child.kill('SIGKILL'));
  await until('the process has it open', () => said().includes('open'));
  await t.rejects(storeIn(t, directory).start(), { code: 'STATE_DIR_TAKEN' });
  child.kill('SIGKILL');
  await once(child, 'exit');
  const store = storeIn(t, directory);
  await store.start();
  await t.rejects(storeIn(t, directory).start(), { code: 'STATE_DIR_TAKEN' }, 'the same within one process');
  await store.stop();
  await storeIn(t, directory).start();
});

test('what was acknowledged is there after kill -9', async (t) => {
  const directory = await tempDir(t);
  const { child, said } = storingProcess(directory);
  t.teardown(() => child.kill('SIGKILL'));
  await until('some batches are acknowledged', () => said().split('stored').length > 20);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const acknowledged = Math.max(...[...said().matchAll(/stored (\d+)\n/g)].map((match) => Number(match[1])));
  const store = storeIn(t, directory);
  await store.start();
  t.ok((await countOf(store)) >= acknowledged, `${acknowledged} rows were acknowledged`);
});

test("what can't be looked at is not called empty", async (t) => {
  const directory = await tempDir(t);
  const looker = (folder: string) => storeIn(t, folder, { readOnly: true });
  await t.rejects(looker(join(directory, 'x'.repeat(300))).start(), {
    code: 'STATE_DIR_UNUSABLE',
    message: /cannot look at/,
  });
  await mkdir(join(directory, 'ericht.db'));
  await t.rejects(looker(directory).start(), { code: 'STATE_DIR_UNUSABLE', message: /is no file/ });
});

test('a process that only looks reads beside the writer, and is told what to do where there is nothing', async (t) => {
  const directory = await tempDir(t);
  const looker = () => storeIn(t, directory, { readOnly: true });
  await t.rejects(looker().start(), { code: 'STORE_EMPTY', message: new RegExp(`${directory}/ericht.db.*npm start`) });
  const store = storeIn(t, directory);
  await store.start();
  const reader = looker();
  await reader.start();
  await store.writeReports(series({ clusterId: 'c', count: 3, fromMs: Date.now() - 60_000 }));
  t.equal(await countOf(reader), 3);
  await t.rejects(reader.writeReports(series({ clusterId: 'c', count: 1, fromMs: Date.now() })), /read-only/);
  await store.stop();
  t.equal(await countOf(reader), 3, 'also when the writer has gone');
  const again = looker();
  await again.start();
  t.equal(await countOf(again), 3);
});

test('tables of a newer version are left alone', async (t) => {
  const directory = await tempDir(t);
  const store = storeIn(t, directory);
  await store.start();
  await store.stop();
  const db = new DatabaseSync(join(directory, 'ericht.db'));
  db.exec("INSERT INTO schema_versions VALUES (47, '047-later.sql', 0)");
  db.close();
  const expected = { code: 'SCHEMA_TOO_NEW', message: /version 47.*up to 1/ };
  await t.rejects(storeIn(t, directory).start(), expected);
  await t.rejects(storeIn(t, directory, { readOnly: true }).start(), expected);
});

test('a damaged file and an unusable folder are told as what they are', async (t) => {
  const directory = await tempDir(t);
  await writeFile(
    join(directory, 'ericht.db'),
    'this is no database, it only is long enough to be read as one'.repeat(99),
  );
  await t.rejects(storeIn(t, directory).start(), { code: 'STATE_DIR_UNUSABLE', message: /ericht\.db.*not a database/ });
  const file = join(directory, 'file');
  await writeFile(file, '');
  await t.rejects(storeIn(t, join(file, 'data')).start(), { code: 'STATE_DIR_UNUSABLE', message: /--data-dir/ });
});

test('dead letters and overflow are kept with their bytes, once, and listed', async (t) => {
  const directory = await tempDir(t);
  const store = storeIn(t, directory);
  await store.start();
  const record = { topic: 'reports', partition: 3, offset: '17', key: Buffer.from('c/pi-01'), headers: { a: 'ü' } };
  const letter = {
    kind: 'dead-letter' as const,
    reason: 'malformed-json' as const,
    detail: 'Unexpected token',
    record: { ...record, value: Buffer.from([0, 255, 1]), appendedAt: 1000 },
  };
  const over = {
    ...letter,
    kind: 'overflow' as const,
    reason: 'over-limit' as const,
    clusterId: 'c',
    nodeId: 'n',
    runId: 'r',
    seq: 5,
  };
  const empty = {
    ...letter,
    reason: 'no-value' as const,
    record: { ...letter.record, offset: '18', value: null, key: null },
  };
  await store.writeAside([letter, over, empty]);
  await store.writeAside([empty, letter]);
  const keys = [];
  for await (const page of store.asideKeys()) keys.push(...page);
  t.match(keys, [
    { kind: 'dead-letter', reason: 'malformed-json' },
    { kind: 'dead-letter', reason: 'no-value' },
    { kind: 'overflow', reason: 'over-limit', clusterId: 'c', nodeId: 'n', runId: 'r', seq: 5 },
  ]);
  t.equal(keys.length, 3);
  const db = new DatabaseSync(join(directory, 'ericht.db'), { readOnly: true });
  const row = db.prepare('SELECT value, headers FROM dead_letters ORDER BY record_offset').get();
  db.close();
  t.same(row, { value: new Uint8Array([0, 255, 1]), headers: '{"a":"ü"}' });
});

test('what one caller writes badly does not hurt what others write in the same transaction', async (t) => {
  const store = storeIn(t, await tempDir(t));
  await store.start();
  const now = Date.now();
  const bad = placed(goldenReport(0, now, { clusterId: 'c', uptimeMs: 0.5 }));
  const rows = series({ clusterId: 'c', count: 5, fromMs: now - 10_000 });
  const letter = {
    kind: 'dead-letter' as const,
    reason: 'invalid-report' as const,
    detail: 'seq: no integer',
    seq: 1.5,
  };
  const record = { topic: 'r', partition: 0, offset: '1', key: null, value: null, headers: {}, appendedAt: now };
  const first = store.writeReports(rows.slice(0, 1));
  const answers = await Promise.allSettled([
    store.writeReports(rows),
    store.writeLatest([bad]),
    store.writeLatest(rows.slice(0, 1)),
    store.writeAside([{ ...letter, record }]),
  ]);
  await first;
  t.same(
    answers.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled', 'fulfilled'],
  );
  t.match(answers[1], { reason: { code: 'STORE_ROW_REFUSED' } });
  t.equal(await countOf(store), 5);
  t.equal((await store.latest('c')).length, 1);
});

test("the newest report moves on when this machine's own clock is set back during one boot", async (t) => {
  const store = storeIn(t, await tempDir(t));
  await store.start();
  const now = Date.now();
  await store.writeLatest([placed(goldenReport(1, now, { clusterId: 'c' }), { appendedAt: now })]);
  await store.writeLatest([
    placed(goldenReport(2, now - 3_600_000, { clusterId: 'c' }), { appendedAt: now - 3_600_000 }),
  ]);
  t.equal((await store.latest('c'))[0]?.report.seq, 2);
});

test('a store that was not started, or was stopped, says so', async (t) => {
  const store = storeIn(t, await tempDir(t));
  await t.rejects(store.latest('c'), { code: 'STORE_UNREACHABLE' });
  await store.start();
  const last = store.writeReports(series({ clusterId: 'c', count: 100, fromMs: Date.now() - 1000, stepMs: 1 }));
  await store.stop();
  await store.stop();
  t.equal((await last).length, 100, 'the write under way was finished');
  await t.rejects(store.writeReports([placed(goldenReport(0, Date.now()))]), { code: 'STOPPED' });
  await t.rejects(store.clusters(), { code: 'STOPPED' });
});
