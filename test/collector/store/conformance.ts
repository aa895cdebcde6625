import { randomBytes, randomUUID } from 'node:crypto';
import t, { type Test } from 'tap';
import type { PlacedReport } from '../../../collector/record.ts';
import type { ReportQuery, RowKey, TelemetryStore } from '../../../collector/store/port.ts';
import { until } from '../../helpers/until.ts';
import { asStored, goldenReport, placed, refusable, series } from './samples.ts';

/** Busy machines take their time for tables and syncs. */
const LIMIT_MS = 120_000;
export const RAW_MS = 7 * 86_400_000;
const DAY_MS = 86_400_000;

export interface StoreUnderTest {
  store: TelemetryStore;
  /** Rows of a cluster, counted without the store's code. */
  countRows(clusterId: string): Promise<number>;
  /** Deletes what is past its retention, in a store that doesn't do so by itself. */
  tidy?(): Promise<unknown>;
}

/** What every store must do, asked of a real one. `open` is called once; each test has a cluster of its own. */
export function conformance(open: (t: Test) => Promise<StoreUnderTest>): void {
  t.setTimeout(LIMIT_MS);
  t.test('a store', async (t) => {
    const { store, countRows, tidy } = await open(t);
    const newCluster = () => `c-${randomBytes(5).toString('hex')}`;
    /** Noon of yesterday: whole minutes of rows stay in one day. */
    const noon = Math.floor(Date.now() / DAY_MS) * DAY_MS - DAY_MS / 2;
    const everything = (clusterId: string, nodeId = 'pi-01'): ReportQuery => ({
      clusterId,
      nodeId,
      fromMs: 0,
      toMs: Number.MAX_SAFE_INTEGER,
    });
    const read = (clusterId: string, nodeId?: string) =>
      store.reports(everything(clusterId, nodeId), { order: 'oldest', limit: 100_000 });
    const stored = (rows: PlacedReport[]) =>
      rows.map(({ report, placedAt, appendedAt }) => ({ report: asStored(report), placedAt, appendedAt }));

    await t.test('gives back the rows that were written, from both ends and between two instants', async (t) => {
      const clusterId = newCluster();
      const rows = series({ clusterId, count: 70, fromMs: noon });
      const outcomes = await store.writeReports(rows);
      t.same(
        outcomes,
        rows.map(() => ({ stored: true })),
      );
      t.same(await read(clusterId), stored(rows));
      const query = { clusterId, nodeId: 'pi-01', fromMs: noon + 10_000, toMs: noon + 20_000 };
      t.same(await store.reports(query, { order: 'oldest', limit: 1000 }), stored(rows.slice(10, 20)));
      t.same(await store.reports(query, { order: 'newest', limit: 3 }), stored(rows.slice(17, 20).reverse()));
      t.same(await store.reports({ ...query, toMs: query.fromMs }, { order: 'oldest', limit: 10 }), []);
    });

    await t.test('keeps fields that it does not know, at the top, nested, in rails and in lists', async (t) => {
      const clusterId = newCluster();
      const unknown =
        JSON.parse(`{"fan": {"rpm": 1200, "curve": [1, [2]]}, "__proto__": {"polluted": true}, "constructor": 1,
        "cpu": {"usageRatio": 0.5, "stealRatio": 0.1, "__proto__": 1}, "gpu": {"sampledAt": 5, "usageRatio": 1}}`);
      const rails = [{ label: 'board', measures: 'board' as const, source: 'i2c' as const, ripple: { peak: 0.2 } }];
      const rows = [placed(goldenReport(0, noon, { clusterId, rails, ...unknown }))];
      Object.defineProperty(rows[0]!.report, '__proto__', { value: { polluted: true }, enumerable: true });
      await store.writeReports(rows);
      const [row] = await read(clusterId);
      t.equal(JSON.stringify(sorted(row?.report)), JSON.stringify(sorted(rows[0]!.report)));
    });

    await t.test('gives a report of a board without a clock back with its own time and its place', async (t) => {
      const clusterId = newCluster();
      const report = goldenReport(3, 12_345, { clusterId, clockSynchronised: false, goodbye: true, simulated: true });
      report.claim = {
        unacknowledged: [{ from: 1, to: 2 }],
        dropped: [{ from: 0, to: 0, reason: 'spool-full' }],
        earlierRuns: [{ runId: 'e4', nextSeq: 900, unacknowledged: [], dropped: [] }],
      };
      const rows = [placed(report, { placedAt: noon, appendedAt: noon + 1 })];
      await store.writeReports(rows);
      t.same(await read(clusterId), stored(rows));
    });

    await t.test('is not changed by a replay: the same, backwards, in other batches, at the same time', async (t) => {
      const clusterId = newCluster();
      const rows = series({ clusterId, count: 100, fromMs: noon });
      await store.writeReports(rows);
      await store.writeReports(rows);
      await store.writeReports(rows.toReversed());
      for (let at = 0; at < rows.length; at += 7) await store.writeReports(rows.slice(at, at + 7));
      await Promise.all([rows, rows.toReversed(), rows.slice(50), rows].map((some) => store.writeReports(some)));
      t.same(await read(clusterId), stored(rows));
      t.equal(await countRows(clusterId), 100);
    });

    await t.test('stores a report once that was sent twice with another claim, and does not mix the two', async (t) => {
      const clusterId = newCluster();
      const report = goldenReport(9, noon, { clusterId });
      const first = { ...report, claim: { unacknowledged: [{ from: 3, to: 8 }], dropped: [] } };
      const second = { ...report, drained: true };
      await store.writeReports([placed(first)]);
      await store.writeReports([placed(second, { appendedAt: noon + 60_000 })]);
      const rows = await read(clusterId);
      t.equal(rows.length, 1);
      const either = [first, second].some(({ claim, drained }) => {
        const row = rows[0]?.report;
        return JSON.stringify([row?.claim, row?.drained]) === JSON.stringify([claim, drained]);
      });
      t.ok(either, 'claim and drained are of one sending');
    });

    await t.test('refuses a bad row in every position and stores its neighbours', async (t) => {
      for (const position of [0, 1, 2, 3, 4]) {
        const clusterId = newCluster();
        const rows = series({ clusterId, count: 4, fromMs: noon });
        rows.splice(position, 0, refusable(goldenReport(99, noon, { clusterId })));
        const outcomes = await store.writeReports(rows);
        t.same(
          outcomes.map(({ stored }) => stored),
          rows.map((_, index) => index !== position),
        );
        const refused = outcomes[position]!;
        t.ok(!refused.stored && refused.why.length > 0, 'it says why');
        t.same(await read(clusterId), stored(rows.toSpliced(position, 1)));
      }
    });

    await t.test('refuses a row whose time no day can hold, and stores its neighbours', async (t) => {
      const clusterId = newCluster();
      const rows = series({ clusterId, count: 2, fromMs: noon });
      const report = goldenReport(5, noon, { clusterId });
      const times = [Number.MAX_SAFE_INTEGER, -1, Number.NaN].map((placedAt) => placed(report, { placedAt }));
      const outcomes = await store.writeReports([rows[0]!, ...times, rows[1]!]);
      t.same(
        outcomes.map(({ stored }) => stored),
        [true, false, false, false, true],
      );
      t.equal(await countRows(clusterId), 2);
    });

    await t.test('answers a row past the retention as stored and does not keep it', async (t) => {
      const clusterId = newCluster();
      const old = series({ clusterId, count: 3, fromMs: Date.now() - RAW_MS - 60_000 });
      t.same(
        await store.writeReports(old),
        old.map(() => ({ stored: true })),
      );
      await tidy?.();
      t.same(await read(clusterId), []);
      t.equal(await countRows(clusterId), 0);
    });

    await t.test('lets a row go when its retention is over, and a replay does not bring it back', async (t) => {
      const clusterId = newCluster();
      const rows = series({ clusterId, count: 3, fromMs: Date.now() - RAW_MS + 4000, stepMs: 1 });
      const young = placed(goldenReport(9, noon, { clusterId }));
      await store.writeReports([...rows, young]);
      await store.writeReports(rows);
      t.equal((await read(clusterId)).length, 4);
      await until('the old rows are gone', async () => {
        await tidy?.();
        return (await read(clusterId)).length === 1;
      });
      await store.writeReports(rows);
      await tidy?.();
      t.same(await read(clusterId), stored([young]));
      t.ok((await store.keptSinceMs()) > rows[0]!.placedAt);
    });

    await t.test('finds rows on both sides of midnight, in order', async (t) => {
      const clusterId = newCluster();
      const midnight = noon + DAY_MS / 2;
      const rows = series({ clusterId, count: 20, fromMs: midnight - 10_000 });
      await store.writeReports(rows);
      t.same(await read(clusterId), stored(rows));
      const across = { clusterId, nodeId: 'pi-01', fromMs: midnight - 1000, toMs: midnight + 1 };
      t.same(await store.reports(across, { order: 'oldest', limit: 9 }), stored(rows.slice(9, 11)));
      t.same(await store.reports(across, { order: 'newest', limit: 9 }), stored(rows.slice(9, 11).reverse()));
      const before = { ...across, toMs: midnight };
      t.same(await store.reports(before, { order: 'newest', limit: 9 }), stored(rows.slice(9, 10)));
    });

    await t.test('gives the keys of thousands of rows in pages, oldest first, each once', async (t) => {
      const clusterId = newCluster();
      const rows = series({ clusterId, count: 4100, fromMs: noon + DAY_MS / 2 - 2_000_000 });
      rows[0]!.report.claim = { unacknowledged: [{ from: 0, to: 3 }], dropped: [] };
      rows[4099]!.report.goodbye = true;
      rows[7]!.report.drained = true;
      // Two runs at one instant: the order among them is fixed, too.
      rows.push(placed(goldenReport(4099, rows[4099]!.placedAt, { clusterId, runId: 'zz' })));
      for (let at = 0; at < rows.length; at += 1000) await store.writeReports(rows.slice(at, at + 1000));
      const pages: RowKey[][] = [];
      for await (const page of store.keys(everything(clusterId))) pages.push(page);
      t.ok(pages.length > 2, `${pages.length} pages`);
      t.same(
        pages.flat(),
        rows.map(({ report, placedAt, appendedAt }) => ({
          runId: report.runId,
          seq: report.seq,
          placedAt,
          appendedAt,
          drained: report.drained,
          goodbye: report.goodbye === true,
          claim: report.claim,
        })),
      );
      t.equal((await read(clusterId)).length, 4101);
      const newest = await store.reports(everything(clusterId), { order: 'newest', limit: 3600 });
      t.same(
        newest.slice(-2).map(({ report }) => report.seq),
        [502, 501],
      );
    });

    await t.test('keeps the whole newest report, its slow lists included, and nothing of the one before', async (t) => {
      const clusterId = newCluster();
      const before = placed(goldenReport(1, noon, { clusterId }));
      const { rails: _, temperature: __, ...bare } = goldenReport(2, noon + 1000, { clusterId });
      await store.writeLatest([before]);
      t.same(await store.latest(clusterId), [{ report: before.report, appendedAt: before.appendedAt }]);
      await store.writeLatest([placed(bare)]);
      t.same(await store.latest(clusterId), [{ report: bare, appendedAt: noon + 1005 }]);
    });

    await t.test("does not freeze the newest report when a board's clock is set back an hour", async (t) => {
      const clusterId = newCluster();
      const appendedAt = noon;
      await store.writeLatest([placed(goldenReport(1, noon, { clusterId }), { appendedAt })]);
      const after = goldenReport(2, noon - 3_600_000, { clusterId });
      await store.writeLatest([placed(after, { appendedAt: appendedAt + 1000 })]);
      t.equal((await store.latest(clusterId))[0]?.report.seq, 2);
    });

    await t.test('does not let what was appended earlier overwrite the newest report', async (t) => {
      const clusterId = newCluster();
      const now = placed(goldenReport(0, noon, { clusterId, runId: 'new', bootId: 'b2' }), { offset: '2500' });
      const older = series({ clusterId, runId: 'old', count: 5, fromMs: noon - 60_000 });
      await store.writeLatest([now]);
      await store.writeLatest(older);
      await store.writeLatest([older[4]!, now, older[0]!]);
      t.same(await store.latest(clusterId), [{ report: now.report, appendedAt: now.appendedAt }]);
      const sameInstant = placed(goldenReport(1, noon, { clusterId, runId: 'new', bootId: 'b2' }), { offset: '2501' });
      await store.writeLatest([sameInstant]);
      await store.writeLatest([now]);
      t.equal((await store.latest(clusterId))[0]?.report.seq, 1, 'of two in one millisecond the later offset wins');
    });

    await t.test('keeps the newest facts of each node', async (t) => {
      const clusterId = newCluster();
      const identity = { schemaVersion: 1, clusterId, bootId: 'b', runId: 'r', timestamp: noon, intervalMs: 1000 };
      const old = { facts: { ...identity, nodeId: 'pi-01', model: 'Pi 4', colour: 'red' }, appendedAt: noon };
      const newer = { facts: { ...identity, nodeId: 'pi-01', kernel: '6.12' }, appendedAt: noon + 1 };
      const other = { facts: { ...identity, nodeId: 'pi-02' }, appendedAt: noon };
      await store.writeFacts([old, other]);
      t.same(await store.facts(clusterId), [old, other]);
      await store.writeFacts([newer]);
      await store.writeFacts([old]);
      t.same(await store.facts(clusterId), [newer, other]);
    });

    await t.test('keeps the first proposal of an anchor, whoever comes at the same time', async (t) => {
      const boot = { clusterId: newCluster(), nodeId: 'pi-01', bootId: randomUUID() };
      const proposals = Array.from({ length: 12 }, (_, index) => noon + index);
      const answers = await Promise.all(proposals.map((at) => store.bootAnchor(boot, at)));
      t.equal(new Set(answers).size, 1, 'all get the same');
      t.ok(proposals.includes(answers[0]!));
      t.equal(await store.bootAnchor(boot, noon + 999), answers[0]);
      t.equal(await store.bootAnchor({ ...boot, bootId: randomUUID() }, noon + 999), noon + 999);
      t.equal(await store.bootAnchor({ ...boot, nodeId: 'pi-02' }, noon + 998), noon + 998);
    });

    await t.test('keeps clusters apart and knows every node ever heard of', async (t) => {
      const [one, two, three] = [newCluster(), newCluster(), newCluster()] as const;
      await store.writeReports([
        ...series({ clusterId: one, nodeId: 'pi-02', count: 2, fromMs: noon }),
        ...series({ clusterId: one, nodeId: 'pi-01', count: 2, fromMs: noon }),
        ...series({ clusterId: two, nodeId: 'pi-01', count: 3, fromMs: noon }),
      ]);
      await store.writeLatest([placed(goldenReport(0, noon, { clusterId: two, nodeId: 'pi-09' }))]);
      const facts = { schemaVersion: 1, clusterId: three, nodeId: 'x', bootId: 'b', runId: 'r', timestamp: noon };
      await store.writeFacts([{ facts: { ...facts, intervalMs: 1000 }, appendedAt: noon }]);
      const clusters = await store.clusters();
      t.same(
        [one, two, three].filter((id) => clusters.includes(id)),
        [one, two, three],
      );
      t.same(clusters, clusters.toSorted());
      t.same(await store.nodes(one), ['pi-01', 'pi-02']);
      t.same(await store.nodes(two), ['pi-01', 'pi-09']);
      t.same(await store.nodes(three), ['x']);
      t.equal((await read(one)).length, 2);
      t.equal((await read(two)).length, 3);
      t.same(await store.latest(one), []);
      t.same(await store.nodes(newCluster()), []);
    });

    await t.test('knows what time it is', async (t) => {
      t.ok(Math.abs((await store.nowMs()) - Date.now()) < 5000);
    });

    await t.test('takes an empty write', async (t) => {
      t.same(await store.writeReports([]), []);
      await store.writeLatest([]);
      await store.writeFacts([]);
    });
  });
}

/** The same value with its fields in one order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .map(([name, inner]) => [name, sorted(inner)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));
}
