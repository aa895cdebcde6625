import t, { type Test } from 'tap';
import { Collector } from '../../collector/collector.ts';
import type { IncomingRecord } from '../../collector/record.ts';
import { ErichtError } from '../../lib/errors.ts';
import { silentLog } from '../../lib/log.ts';
import type { Report } from '../../telemetry/report.ts';
import { recordingLog } from '../helpers/kafka-records.ts';
import { ManualClock } from '../helpers/manual-clock.ts';
import { aRecord, aReport, HandSource, MemoryStore } from './doubles.ts';

const NOW = Date.UTC(2026, 0, 1);
const RAW_MS = 7 * 86_400_000;
const away = () => new ErichtError('STORE_UNREACHABLE', { what: 'cannot reach the store' });

async function running(t: Test, { log = silentLog } = {}) {
  const clock = new ManualClock(NOW);
  const [source, store] = [new HandSource(), new MemoryStore()];
  const collector = new Collector({ source, store, aside: store, retention: { rawMs: RAW_MS }, clock, log });
  await collector.start();
  t.teardown(() => collector.stop());
  return { clock, source, store, collector };
}

function records(reports: (Report | Buffer | null)[], firstOffset = 0): IncomingRecord[] {
  return reports.map((report, i) => aRecord(report, { offset: String(firstOffset + i), appendedAt: NOW + 30 }));
}

const reports = (count: number, rest: Partial<Report> = {}) =>
  Array.from({ length: count }, (_, seq) => aReport({ seq, timestamp: NOW - 60_000 + seq * 10, ...rest }));

t.test('rows are stored before their offset is committed', async (t) => {
  const { source, store, collector } = await running(t);
  const rowsAtCommit: number[] = [];
  source.commit = async () => rowsAtCommit.push(store.rows.size) > 0;
  await source.assign().batch(records(reports(3)));
  t.strictSame(source.committed, ['3']);
  t.strictSame(rowsAtCommit, [3]);
  t.match(collector.counts(), { received: 3, stored: 3, redelivered: 0, deadLettered: 0 });
});

t.test('bad records become dead letters with their reason and bytes, and their neighbours are stored', async (t) => {
  const { source, store, collector } = await running(t);
  const [first, last] = reports(2);
  const bad: [Buffer | Report | null, string][] = [
    [Buffer.from('{"half'), 'malformed-json'],
    [aReport({ schemaVersion: 99 }), 'wrong-schema-version'],
    [Buffer.from('{"schemaVersion":1,"nodeId":"a"}'), 'invalid-report'],
    [Buffer.alloc(65 * 1024, 0x20), 'too-large'],
    [null, 'no-value'],
    [aReport({ timestamp: 0 }), 'time-too-old'],
    [aReport({ timestamp: Date.UTC(2100, 0, 1) }), 'time-in-future'],
    [aReport({ timestamp: Number.MAX_SAFE_INTEGER }), 'time-in-future'],
  ];
  const batch = records([first as Report, ...bad.map(([value]) => value), last as Report]);
  await source.assign().batch(batch);
  t.equal(store.rows.size, 2);
  t.strictSame(source.committed, ['10']);
  const kept = store.asides.map(({ reason, record }) => [record.value, reason]);
  t.strictSame(
    kept,
    bad.map(([, reason], i) => [batch[i + 1]?.value, reason]),
  );
  t.equal(collector.counts().deadLettered, bad.length);
});

t.test('an unset clock is never a reason for a dead letter', async (t) => {
  const { source, store } = await running(t);
  await source.assign().batch(records([aReport({ clockSynchronised: false, timestamp: 0, uptimeMs: 5000 })]));
  t.equal(store.asides.length, 0);
  t.strictSame(
    [...store.rows.values()].map(({ placedAt }) => placedAt),
    [NOW + 30],
  );
});

t.test('a row that the store refuses becomes a dead letter and its neighbours are stored', async (t) => {
  const { source, store } = await running(t);
  store.refuse = ({ report }) => (report.seq === 1 ? 'a column does not take it' : undefined);
  await source.assign().batch(records(reports(3)));
  t.equal(store.rows.size, 2);
  t.match(store.asides, [{ reason: 'store-refused', detail: 'a column does not take it', seq: 1, nodeId: 'a' }]);
});

t.test('a batch that the store refuses as a whole is tried row by row', async (t) => {
  const { source, store, clock } = await running(t);
  store.fail = (call, rows) => {
    if (call === 'writeReports' && rows.some((row) => (row as { report: Report }).report.seq === 2))
      throw new TypeError('x');
  };
  const done = source.assign().batch(records(reports(4)));
  await clock.advance(60_000);
  await done;
  t.strictSame(
    [...store.rows.values()].map(({ report }) => report.seq),
    [0, 1, 3],
  );
  t.match(store.asides, [{ reason: 'store-refused', detail: 'x', seq: 2 }]);
  t.strictSame(source.committed, ['4']);
});

t.test('a report whose anchor is refused, and a count that fails, keep nothing else from being stored', async (t) => {
  const { source, store, clock } = await running(t);
  store.fail = (call) => {
    if (call === 'bootAnchor') throw new ErichtError('STORE_ROW_REFUSED', { what: 'the boot has no name' });
    if (call === 'keys') throw new TypeError('a defect');
  };
  const unset = aReport({ seq: 5, clockSynchronised: false });
  const done = source.assign().batch(records([...reports(1), unset, ...reports(1, { runId: 'run-2' })]));
  await clock.advance(60_000);
  await done;
  t.equal(store.rows.size, 2);
  t.match(store.asides, [{ reason: 'store-refused', detail: 'the boot has no name', seq: 5 }]);
  t.strictSame(source.committed, ['3']);
});

t.test('a store that is away holds the batch, says so once a minute, and nothing is lost', async (t) => {
  const log = recordingLog();
  const { source, store, clock, collector } = await running(t, { log });
  store.fail = (call) => {
    if (call === 'writeReports') throw away();
  };
  const done = source.assign().batch(records(reports(2)));
  await clock.advance(150_000);
  t.strictSame(source.committed, []);
  t.match(collector.status(), { problem: { code: 'STORE_UNREACHABLE' }, store: { reachable: false } });
  t.equal(log.lines.filter(({ level }) => level === 'warn').length, 3);
  store.fail = () => {};
  await clock.advance(5000);
  await done;
  t.strictSame(source.committed, ['2']);
  t.match(collector.status(), { problem: undefined, store: { reachable: true } });
  t.equal(log.lines.at(-1)?.message, 'storing reports goes on');
});

t.test('dead letters whose place is away hold the batch too', async (t) => {
  const { source, store, clock } = await running(t);
  store.fail = (call) => {
    if (call === 'writeAside') throw new ErichtError('KAFKA_TOPIC_MISSING', { what: 'cannot send' });
  };
  const done = source.assign().batch(records([Buffer.from('{')]));
  await clock.advance(120_000);
  t.strictSame(source.committed, []);
  store.fail = () => {};
  await clock.advance(5000);
  await done;
  t.equal(store.asides.length, 1);
  t.strictSame(source.committed, ['1']);
});

t.test('a partition that is taken away while its batch is held is not committed', async (t) => {
  const { source, store, clock } = await running(t);
  store.fail = (call) => {
    if (call === 'writeReports') throw away();
  };
  const assignment = source.assign();
  const done = assignment.batch(records(reports(2)));
  await clock.advance(1000);
  assignment.revoke();
  await done;
  store.fail = () => {};
  await clock.advance(10_000);
  t.strictSame([source.committed, store.rows.size], [[], 0]);
});

t.test('stop ends a held batch at once, uncommitted, and stops the store last', async (t) => {
  const { source, store, clock, collector } = await running(t);
  store.fail = (call) => {
    if (call === 'writeReports') throw away();
  };
  const done = source.assign().batch(records(reports(2)));
  await clock.advance(1000);
  await Promise.all([collector.stop(), done]);
  t.strictSame(source.committed, []);
  t.ok(source.stopped);
  t.equal(store.calls.at(-1), 'stop');
  t.equal(clock.waitingTimers, 0, 'no timer is left');
});

t.test('reports that come again after a crash are counted by the rows that are already there', async (t) => {
  const { source, store, collector } = await running(t);
  source.commit = async () => false;
  const first = source.assign();
  await first.batch(records(reports(5)));
  first.revoke();
  source.commit = async () => true;
  const second = source.assign();
  await second.batch(records(reports(8)));
  t.match(collector.counts(), { received: 13, redelivered: 5, stored: 8 });
  t.equal(store.rows.size, 8);
  const lookups = () => store.calls.filter((call) => call === 'keys').length;
  await second.batch(records(reports(2, { runId: 'run-2' }), 8));
  const asked = lookups();
  await second.batch(records(reports(2, { runId: 'run-3' }), 10));
  t.equal(lookups(), asked, 'a chunk that is all new ends the asking');
});

t.test('the latest is the newest live report of each node, and never a drained one', async (t) => {
  const { source, store } = await running(t);
  const batch = [
    aReport({ seq: 1, timestamp: NOW }),
    aReport({ seq: 2, timestamp: NOW - 3_600_000 }),
    aReport({ nodeId: 'b', seq: 7, timestamp: NOW, drained: true }),
    aReport({ runId: 'old', seq: 9, timestamp: NOW - 500_000, drained: true }),
  ];
  await source.assign().batch(records(batch));
  t.strictSame(
    [...store.latestRows].map(([node, { report }]) => [node, report.seq]),
    [['a', 2]],
  );
  t.equal(store.calls.filter((call) => call === 'writeLatest').length, 1);
});

t.test('facts are stored, the newest of each node, and a deleted key is passed over', async (t) => {
  const { source, store } = await running(t);
  const { schemaVersion, clusterId, nodeId, bootId, runId, timestamp, intervalMs } = aReport();
  const facts = (model: string) =>
    Buffer.from(JSON.stringify({ schemaVersion, clusterId, nodeId, bootId, runId, timestamp, intervalMs, model }));
  await source.assign('facts').batch(records([facts('Pi 4'), null, Buffer.from('no'), facts('Pi 5')]));
  t.match([...store.factRows.values()], [{ facts: { model: 'Pi 5' } }]);
  t.match(store.asides, [{ reason: 'malformed-json' }]);
  t.strictSame(source.committed, ['4']);
});

t.test('a long batch is written in chunks, and committed on its way', async (t) => {
  const { source, store, clock } = await running(t);
  const sizes: number[] = [];
  store.fail = async (call, rows) => {
    if (call !== 'writeReports') return;
    sizes.push(rows.length);
    clock.sleepThrough(600);
  };
  await source.assign().batch(records(reports(1700)));
  t.ok(Math.max(...sizes) <= 500);
  t.strictSame(source.committed, ['1000', '1700']);
});

t.test('a commit that fails is made again', async (t) => {
  const { source, clock } = await running(t);
  let failures = 2;
  source.commit = async () => {
    if (failures-- > 0) throw new ErichtError('KAFKA_UNREACHABLE', { what: 'cannot commit' });
    return true;
  };
  const done = source.assign().batch(records(reports(1)));
  await clock.advance(1000);
  await done;
  t.strictSame(source.committed, ['1']);
});

t.test('start waits for a store that is away and rejects what waiting cannot help', async (t) => {
  const clock = new ManualClock(NOW);
  const [source, store] = [new HandSource(), new MemoryStore()];
  const options = { source, store, aside: store, retention: { rawMs: RAW_MS }, clock, log: silentLog };
  const collector = new Collector(options);
  store.fail = () => {
    throw away();
  };
  const started = collector.start();
  await clock.advance(30_000);
  t.match(collector.status(), {
    state: 'starting',
    problem: { code: 'STORE_UNREACHABLE' },
    store: { reachable: false },
  });
  store.fail = () => {};
  await clock.advance(5000);
  await started;
  t.equal(collector.status().state, 'running');
  await collector.stop();

  source.failStart = () => {
    throw new ErichtError('KAFKA_TOPIC_UNSUITABLE', { what: 'the topic has 3 partitions, it needs 6' });
  };
  const other = new Collector(options);
  await t.rejects(other.start(), { code: 'KAFKA_TOPIC_UNSUITABLE' });
  await other.stop();
});

t.test('stop ends a start that still waits', async (t) => {
  const clock = new ManualClock(NOW);
  const [source, store] = [new HandSource(), new MemoryStore()];
  const collector = new Collector({ source, store, aside: store, retention: { rawMs: RAW_MS }, clock, log: silentLog });
  store.fail = (call) => {
    if (call === 'start') throw away();
  };
  const started = collector.start();
  await clock.advance(1000);
  await Promise.all([t.rejects(started, { code: 'STOPPED' }), collector.stop()]);
  t.equal(clock.waitingTimers, 0);
});

t.test('a step of the wall clock is told to the source', async (t) => {
  const { source, clock } = await running(t);
  await clock.advance(5000);
  t.equal(source.steps, 0);
  clock.jumpWall(-3_600_000);
  await clock.advance(1000);
  clock.jumpWall(300 * 86_400_000);
  await clock.advance(1000);
  t.equal(source.steps, 2);
});
