import t from 'tap';
import { audit } from '../../collector/audit.ts';
import type { Report } from '../../telemetry/report.ts';
import { aRecord, aReport, CLUSTER, MemoryStore } from './doubles.ts';

const NOW = Date.UTC(2026, 5, 1);
const START = NOW - 600_000;

function storeOf(reports: Report[]): MemoryStore {
  const store = new MemoryStore();
  for (const report of reports) put(store, report, report.timestamp);
  return store;
}

function put(store: MemoryStore, report: Report, placedAt: number): void {
  const key = [report.nodeId, placedAt, report.runId, report.seq].join('/');
  store.rows.set(key, { report, placedAt, appendedAt: report.timestamp + 20, offset: '0' });
}

const run = (count: number, rest: Partial<Report> = {}) =>
  Array.from({ length: count }, (_, seq) => aReport({ seq, timestamp: START + seq * 1000, ...rest }));

const audited = (store: MemoryStore, rest: object = {}) => audit({ reader: store, aside: store, nowMs: NOW, ...rest });

t.test('names the nodes, runs and row times of what is lost and doubled', async (t) => {
  const good = run(100).filter(({ seq }) => seq !== 0 && seq !== 50 && seq !== 51);
  const store = storeOf([...good, ...run(10, { nodeId: 'b' })]);
  put(store, good[20] as Report, START + 100_500);
  const result = await audited(store);
  t.match(result, {
    schemaVersion: 1,
    at: '2026-06-01T00:00:00.000Z',
    totals: { nodes: 2, runs: 2, stored: 107, lost: 3, duplicates: 1, untoldRuns: 2 },
  });
  t.match(result.nodes[0], {
    clusterId: CLUSTER,
    nodeId: 'a',
    runs: [
      {
        lost: 3,
        duplicates: 1,
        gaps: [
          { from: 0, to: 0, verdict: 'lost' },
          { from: 50, to: 51, verdict: 'lost' },
        ],
        duplicateRows: [{ seq: 21, rowTimes: ['2026-05-31T23:50:21.000Z', '2026-05-31T23:51:40.500Z'] }],
      },
    ],
  });
  t.match(result.nodes[1], { nodeId: 'b', runs: [{ lost: 0, duplicates: 0, gaps: [] }] });
});

t.test('counts dead letters and overflow as kept, and tells those that name nobody', async (t) => {
  const store = storeOf(run(10).filter(({ seq }) => seq !== 3 && seq !== 4));
  const who = { clusterId: CLUSTER, nodeId: 'a', runId: 'run-1' };
  const record = aRecord(null);
  await store.writeAside([
    { kind: 'dead-letter', reason: 'time-too-old', detail: '', record, ...who, seq: 3 },
    { kind: 'dead-letter', reason: 'time-too-old', detail: 'written twice', record, ...who, seq: 3 },
    { kind: 'overflow', reason: 'over-limit', detail: '', record, ...who, seq: 4 },
    { kind: 'dead-letter', reason: 'malformed-json', detail: '', record },
    { kind: 'dead-letter', reason: 'store-refused', detail: '', record, ...who, nodeId: 'never-stored', seq: 8 },
  ]);
  const result = await audited(store);
  t.match(result.totals, { lost: 0, deadLettered: 2, overflowed: 1, nodes: 2 });
  t.match(result.unattributed, { deadLettered: 1, overflowed: 0 });
});

t.test('judges only what the raw retention and the asked window hold', async (t) => {
  const store = storeOf(run(300).filter(({ seq }) => seq % 10 !== 5));
  const all = await audited(store);
  t.equal(all.totals.lost, 30);
  const late = await audited(store, { sinceMs: START + 200_000 });
  t.match(late.nodes[0]?.runs[0], { fromSeq: 200, lost: 10 });
  store.keptSince = NOW - 400_000;
  const short = await audited(store);
  store.keptSince = 0;
  t.match(short.nodes[0]?.runs[0], { fromSeq: 240, lost: 6 }, 'rows that are about to go are left out');
  const early = await audited(store, { untilMs: START + 100_000 });
  t.match(early.totals, { lost: 10, untoldRuns: 0 });
});

t.test(
  'a store that keeps minutes is judged, and rows that give way while it is read are not called lost',
  async (t) => {
    const store = storeOf(run(600));
    let keptSinceMs = NOW - 300_000;
    const forget = () => {
      for (const [key, { placedAt }] of store.rows) if (placedAt < keptSinceMs) store.rows.delete(key);
    };
    forget();
    let readings = 0;
    const reader = {
      clusters: () => store.clusters(),
      nodes: (clusterId: string) => store.nodes(clusterId),
      keptSinceMs: async () => keptSinceMs,
      async *keys(query: Parameters<typeof store.keys>[0]) {
        readings += 1;
        if (readings === 1) {
          keptSinceMs = NOW - 200_000;
          forget();
        }
        yield* store.keys(query);
      },
    };
    const result = await audit({ reader, aside: store, nowMs: NOW });
    t.match(result, { from: new Date(NOW - 180_000).toISOString(), totals: { nodes: 1, lost: 0, duplicates: 0 } });
    t.equal(result.totals.stored, 180);
  },
);
