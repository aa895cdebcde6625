import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { frameLength, type SpooledRecord } from '../../../agent/spool/frame.ts';
import type { SpooledRun } from '../../../agent/spool/scan.ts';
import { Spool, type SpoolOptions } from '../../../agent/spool/spool.ts';
import { FragileFiles } from '../../helpers/fragile-files.ts';
import { recordingLog } from '../../helpers/kafka-records.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { randomFor } from '../../helpers/seeded-random.ts';
import { tempDir } from '../../helpers/temp.ts';

const NOW = Date.UTC(2026, 5, 1);
const DAY_MS = 86_400_000;

function record(seq: number, bodyBytes = 200, runId = 'run'): SpooledRecord {
  return { runId, seq, sampledAt: NOW + seq, body: Buffer.from(`{"seq":${seq}}`.padEnd(bodyBytes)) };
}

interface Drop {
  runId: string;
  from: number;
  to: number;
  reason: string;
}

async function makeSpool(t: Test, directory: string, options: Partial<SpoolOptions> = {}) {
  const dropped: Drop[] = [];
  const found: SpooledRun[] = [];
  const log = recordingLog();
  const spool = new Spool({
    directory,
    maxBytes: 64 * 1024 * 1024,
    maxAgeMs: 7 * DAY_MS,
    clock: new ManualClock(NOW),
    clockSynchronised: () => true,
    log,
    dropped: (runId, range, reason) => dropped.push({ runId, ...range, reason }),
    found: (runs) => found.push(...runs),
    ...options,
  });
  t.teardown(() => spool.close());
  await spool.lock();
  await spool.open();
  return { spool, dropped, found, log };
}

const seqs = (records: SpooledRecord[]) => records.map(({ seq }) => seq);

/** Takes everything out, in pieces. */
async function drain(spool: Spool): Promise<number[]> {
  const drained: number[] = [];
  for (let batch = await spool.peek(7, 5000); batch.length > 0; batch = await spool.peek(7, 5000)) {
    drained.push(...seqs(batch));
    await spool.release(batch);
  }
  return drained;
}

t.test('what goes in comes out in order, and then the directory is empty', async (t) => {
  const directory = await tempDir(t);
  const { spool, dropped } = await makeSpool(t, directory);
  for (let seq = 0; seq < 20; seq += 2) await spool.append([record(seq), record(seq + 1)]);
  t.match(spool.counts(), {
    waitingReports: 20,
    waitingBytes: frameLength(record(0)) * 10 + frameLength(record(10)) * 10,
  });
  t.same(await drain(spool), [...Array(20).keys()]);
  t.same(spool.counts(), { waitingReports: 0, waitingBytes: 0, tornRecords: 0 });
  t.same(
    (await readdir(directory)).filter((name) => name.endsWith('.spool')),
    [],
  );
  await spool.append([record(20)]);
  t.same(await drain(spool), [20], 'and it can be used again');
  t.same(dropped, []);
});

t.test('peek takes nothing out and is bounded in records and bytes', async (t) => {
  const { spool } = await makeSpool(t, await tempDir(t));
  await spool.append([record(0, 1000), record(1, 1000), record(2, 1000)]);
  t.same(seqs(await spool.peek(2, 1e6)), [0, 1]);
  t.same(seqs(await spool.peek(9, 2000)), [0, 1]);
  t.same(seqs(await spool.peek(9, 10)), [0], 'at least one');
  t.equal(spool.counts().waitingReports, 3);
});

t.test('a restart finds what was not released, with the newest report of each run', async (t) => {
  const directory = await tempDir(t);
  const first = await makeSpool(t, directory);
  await first.spool.append([record(3), record(4), record(9)]);
  await first.spool.close();
  const second = await makeSpool(t, directory);
  t.match(second.found, [
    {
      runId: 'run',
      ranges: [
        { from: 3, to: 4 },
        { from: 9, to: 9 },
      ],
      newest: { seq: 9 },
    },
  ]);
  await second.spool.append([record(0, 200, 'other')]);
  t.same(await drain(second.spool), [3, 4, 9, 0]);
});

t.test('random appends, releases and restarts lose nothing and keep the order', async (t) => {
  const random = randomFor(t);
  const directory = await tempDir(t);
  let { spool } = await makeSpool(t, directory, { maxBytes: 1e9 });
  let next = 0;
  let head = 0;
  let expectedFrom = 0;
  for (let step = 0; step < 150; step += 1) {
    const action = random.next();
    if (action < 0.45) {
      const batch = Array.from({ length: random.int(1, 40) }, (_, index) =>
        record(next + index, random.int(20, 20_000)),
      );
      await spool.append(batch);
      next += batch.length;
    } else if (action < 0.9) {
      const batch = await spool.peek(random.int(1, 60), random.int(1, 300_000));
      if (batch.length === 0 && head < next) return t.fail(`nothing to read, though ${head} to ${next} wait`);
      // After a restart what was released from a file that is still there comes again: from its first record on.
      for (const { seq } of batch) {
        if (seq !== expectedFrom) return t.equal(seq, expectedFrom, 'in order, without a gap');
        expectedFrom += 1;
      }
      head = Math.max(head, expectedFrom);
      await spool.release(batch);
    } else {
      await spool.close();
      ({ spool } = await makeSpool(t, directory, { maxBytes: 1e9 }));
      const [first] = await spool.peek(1, 1);
      if (first && first.seq > head) return t.fail(`${head} was never released and is gone`);
      expectedFrom = first?.seq ?? next;
      if (!first && head < next) return t.fail(`${head} to ${next} are gone`);
    }
  }
  t.pass(`${next} records`);
});

t.test('a power cut at any moment loses nothing for which append had resolved', async (t) => {
  const random = randomFor(t);
  for (let trial = 0; trial < 60; trial += 1) {
    const directory = await tempDir(t);
    const files = new FragileFiles();
    const { spool } = await makeSpool(t, directory, { files, maxBytes: 1e9 });
    let durable = 0;
    for (let step = random.int(0, 5); step > 0; step -= 1) {
      const batch = Array.from({ length: random.int(1, 30) }, (_, index) =>
        record(durable + index, random.int(20, 9000)),
      );
      await spool.append(batch);
      durable += batch.length;
    }
    // The last append gets as far as the page cache, whole or in part, and no sync comes back.
    files.failing = random.pick([{ sync: 'EIO' }, { append: 'EIO' }]);
    await t.rejects(spool.append([record(durable, 3000), record(durable + 1, 3000)]));
    const { spool: after, found } = await makeSpool(t, await tempDir(t), {
      files: renamed(files.afterPowerCut(random)),
    });
    const read = await drain(after);
    const expected = [...Array(durable).keys()];
    if (String(read.slice(0, durable)) !== String(expected)) return t.same(read, expected, 'all that was durable');
    t.ok(read.length <= durable + 2);
    if (durable > 0) t.equal(found[0]?.runId, 'run');
  }
});

/** Three records of one file on a disk in memory; `damaged` makes that disk anew with other bytes in the file. */
async function makeFile(t: Test, bodyBytes: number) {
  const directory = await tempDir(t);
  const files = new FragileFiles();
  const { spool } = await makeSpool(t, directory, { files });
  await spool.append([record(0, bodyBytes), record(1, bodyBytes), record(2, bodyBytes)]);
  await spool.close();
  const [path, { bytes }] = [...files.files][0]!;
  const damaged = (other: Buffer) => {
    const disk = new FragileFiles();
    disk.files.set(path, { bytes: other, synced: other.length });
    return makeSpool(t, directory, { files: disk });
  };
  return { bytes, damaged };
}

t.test('a torn tail is skipped and counted, and its file is appended to no more', async (t) => {
  const { bytes, damaged } = await makeFile(t, 60);
  const lastLength = frameLength(record(2, 60));
  for (let cut = 1; cut <= lastLength; cut += 1) {
    const { spool, found } = await damaged(bytes.subarray(0, bytes.length - cut));
    const { waitingReports, tornRecords } = spool.counts();
    if (waitingReports !== 2 || tornRecords !== (cut === lastLength ? 0 : 1)) {
      return t.same({ waitingReports, tornRecords }, { waitingReports: 2, tornRecords: 1 }, `cut by ${cut}`);
    }
    t.match(found, [{ ranges: [{ from: 0, to: 1 }], newest: { seq: 1 } }]);
    await spool.append([record(7)]);
    const left = await drain(spool);
    if (String(left) !== '0,1,7') return t.same(left, [0, 1, 7], `cut by ${cut}`);
    await spool.close();
  }
  t.pass(`${lastLength} bytes`);
});

t.test('any flipped byte of a file costs at most the record it is in, the first bytes included', async (t) => {
  const { bytes, damaged } = await makeFile(t, 30);
  for (let at = 0; at < bytes.length; at += 1) {
    const other = Buffer.from(bytes);
    other[at] = other[at]! ^ 0x55;
    const { spool } = await damaged(other);
    const { waitingReports, tornRecords } = spool.counts();
    if (waitingReports < 2 || tornRecords !== 1) {
      return t.same({ waitingReports, tornRecords }, { waitingReports: 2, tornRecords: 1 }, `byte ${at}`);
    }
    await spool.close();
  }
  t.pass(`${bytes.length} bytes`);
});

t.test('a full disk is told, what was written stays, and it goes on when there is room', async (t) => {
  const files = new FragileFiles();
  const { spool, log } = await makeSpool(t, await tempDir(t), { files });
  await spool.append([record(0)]);
  files.capacity = 300;
  await t.rejects(spool.append([record(1), record(2)]), { code: 'ENOSPC' });
  await t.rejects(spool.append([record(1), record(2)]), { code: 'ENOSPC' });
  t.match(spool.counts(), { waitingReports: 1, problem: /ENOSPC/ });
  t.equal(log.lines.filter(({ level }) => level === 'warn').length, 1, 'told once, not at each attempt');
  files.capacity = Number.POSITIVE_INFINITY;
  await spool.append([record(1), record(2)]);
  t.equal(spool.counts().problem, undefined);
  t.same(await drain(spool), [0, 1, 2], 'each once');
});

t.test('a problem that is over is not told for ever, though there is nothing to spool', async (t) => {
  const files = new FragileFiles();
  const clock = new ManualClock(NOW);
  const { spool } = await makeSpool(t, await tempDir(t), { files, clock });
  files.capacity = 0;
  await t.rejects(spool.append([record(0)]), { code: 'ENOSPC' });
  files.capacity = Number.POSITIVE_INFINITY;
  await spool.probe();
  t.match(spool.counts().problem, /ENOSPC/, 'not asked at each report');
  await clock.advance(60_000);
  await spool.probe();
  t.equal(spool.counts().problem, undefined);
  t.equal(files.files.size, 0, 'the trial leaves nothing behind');
  await spool.append([record(1)]);
  t.same(await drain(spool), [1]);
});

t.test('what a failed sync may have left on disk is not read as if it were there', async (t) => {
  const files = new FragileFiles();
  const { spool } = await makeSpool(t, await tempDir(t), { files });
  await spool.append([record(0)]);
  files.failing = { sync: 'EIO' };
  await t.rejects(spool.append([record(1)]));
  files.failing = {};
  await spool.append([record(1), record(2)]);
  t.same(await drain(spool), [0, 1, 2]);
});

t.test('a directory that cannot be made is a problem and no reason to stop', async (t) => {
  const directory = join(await tempDir(t), 'file');
  await writeFile(directory, 'not a directory');
  const { spool } = await makeSpool(t, directory);
  t.match(spool.counts(), { waitingReports: 0, problem: /EEXIST|ENOTDIR/ });
  await t.rejects(spool.append([record(0)]));
  t.same(await spool.peek(9, 1e6), []);
});

t.test('a disk that is read-only at first is used as soon as it can be', async (t) => {
  const files = new FragileFiles();
  files.failing = { create: 'EROFS' };
  const { spool } = await makeSpool(t, await tempDir(t), { files });
  await t.rejects(spool.append([record(0)]), { code: 'EROFS' });
  t.match(spool.counts().problem, /EROFS/);
  files.failing = {};
  await spool.append([record(0)]);
  t.same(await drain(spool), [0]);
});

t.test('a file that is not ours is left alone and told', async (t) => {
  const directory = await tempDir(t);
  await writeFile(join(directory, 'notes.txt'), 'keep me');
  await writeFile(join(directory, '000000000004.spool'), 'looks like one');
  const { spool, log } = await makeSpool(t, directory);
  t.same(log.lines.map(({ message }) => /notes\.txt|000000000004/.exec(message)?.[0]).sort(), [
    '000000000004',
    'notes.txt',
  ]);
  await spool.append([record(0)]);
  t.same(await drain(spool), [0]);
  t.equal(await readFile(join(directory, 'notes.txt'), 'utf8'), 'keep me');
  t.equal(await readFile(join(directory, '000000000004.spool'), 'utf8'), 'looks like one');
});

t.test('beyond its size the oldest are dropped, told and gone from the disk', async (t) => {
  const files = new FragileFiles();
  const maxBytes = 40_000;
  const { spool, dropped } = await makeSpool(t, await tempDir(t), { files, maxBytes });
  for (let seq = 0; seq < 100; seq += 1) await spool.append([record(seq, 1000)]);
  const used = [...files.files.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
  t.ok(used <= maxBytes, `${used} bytes`);
  t.ok(used > maxBytes / 2, 'it is used, too');
  const last = Math.max(...dropped.map(({ to }) => to));
  t.same(
    dropped.map(({ reason }) => reason),
    dropped.map(() => 'spool-full'),
  );
  t.same(
    dropped.flatMap(({ from, to }) => [...Array(to - from + 1).keys()].map((n) => from + n)),
    [...Array(last + 1).keys()],
  );
  t.same(await drain(spool), [...Array(100).keys()].slice(last + 1), 'told or there, each exactly once');
});

t.test('records dropped while a send of them is under way are not released in place of others', async (t) => {
  const { spool, dropped } = await makeSpool(t, await tempDir(t), { maxBytes: 20_000 });
  for (let seq = 0; seq < 10; seq += 1) await spool.append([record(seq, 1000)]);
  const inFlight = await spool.peek(2, 1e6);
  for (let seq = 10; seq < 40; seq += 1) await spool.append([record(seq, 1000)]);
  t.notSame(seqs(await spool.peek(2, 1e6)), seqs(inFlight), 'others are at the head by then');
  await spool.release(inFlight);
  const rest = await drain(spool);
  const told = dropped.flatMap(({ from, to }) => [...Array(to - from + 1).keys()].map((n) => from + n));
  t.same([...told, ...rest], [...Array(40).keys()]);
});

t.test('what is older than it may be is dropped, but never by a clock that cannot be trusted', async (t) => {
  const clock = new ManualClock(NOW);
  let synchronised = false;
  const { spool, dropped } = await makeSpool(t, await tempDir(t), {
    clock,
    clockSynchronised: () => synchronised,
    maxBytes: 30_000,
  });
  for (let seq = 0; seq < 5; seq += 1) await spool.append([record(seq, 1000)]);
  clock.jumpWall(8 * DAY_MS);
  await spool.append([{ ...record(5, 1000), sampledAt: undefined }]);
  t.same(dropped, []);
  t.notOk(spool.isTooOld(record(0)));
  synchronised = true;
  t.ok(spool.isTooOld(record(0)));
  t.notOk(spool.isTooOld({ ...record(5), sampledAt: undefined }), 'an unknown age is no age');
  await spool.append([record(6, 1000)]);
  t.match(dropped, [{ from: 0, reason: 'too-old' }]);
});

t.test('a file that can no longer be read is given up and told, and the next ones are read', async (t) => {
  const files = new FragileFiles();
  const { spool, dropped } = await makeSpool(t, await tempDir(t), { files, maxBytes: 20_000 });
  for (let seq = 0; seq < 6; seq += 1) await spool.append([record(seq, 1000)]);
  files.failing = { read: 'EIO' };
  const [first] = [...files.files.keys()];
  files.files.get(first!)!.bytes.fill(0);
  files.failing = {};
  const rest = await drain(spool);
  t.match(dropped, [{ from: 0, reason: 'spool-failed' }]);
  t.same(
    [...dropped.flatMap(({ from, to }) => [...Array(to - from + 1).keys()].map((n) => from + n)), ...rest],
    [0, 1, 2, 3, 4, 5],
  );
});

t.test('a second one on the same directory is refused with the pid of the first', async (t) => {
  const directory = await tempDir(t);
  const { spool } = await makeSpool(t, directory);
  await t.rejects(makeSpool(t, directory), { code: 'STATE_DIR_TAKEN', message: new RegExp(String(process.pid)) });
  await spool.close();
  await makeSpool(t, directory);
});

/** The same files under whatever directory they are asked for. */
function renamed(files: FragileFiles): FragileFiles {
  const list = [...files.files];
  files.list = async (path) => {
    files.files.clear();
    for (const [old, file] of list) files.files.set(join(path, old.split('/').at(-1)!), file);
    return [...files.files.keys()].map((file) => file.split('/').at(-1)!);
  };
  return files;
}
