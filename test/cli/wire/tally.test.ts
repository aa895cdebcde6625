import { test } from 'tap';
import { AcknowledgedLedger, tally } from '../../../cli/wire/tally.ts';
import type { AsideKey, RowKey } from '../../../collector/store/port.ts';

const RUN = 'run-1';

interface Given {
  acknowledged: number[];
  /** Seqs of rows, in the order of their time; one twice is a duplicate. */
  rows: number[];
  aside?: AsideKey[];
  keptSinceMs?: number;
}

function count({ acknowledged, rows, aside = [], keptSinceMs = 0 }: Given) {
  const ledger = new AcknowledgedLedger();
  ledger.take(acknowledged.map((seq) => ({ runId: RUN, seq })));
  const keys = rows.map((seq, placedAt) => ({ runId: RUN, seq, placedAt }) as RowKey);
  const other = { runId: 'of another process', seq: 0, placedAt: 0 } as RowKey;
  const reader = {
    async *keys() {
      yield [other, ...keys];
    },
    keptSinceMs: async () => keptSinceMs,
  };
  const runs = new Map([[RUN, 'node-1']]);
  const asideReader = {
    async *asideKeys() {
      yield aside;
    },
  };
  return tally({ clusterId: 'c', runs, ledger, reader, aside: asideReader, fromMs: 100, toMs: 200 });
}

const NOTHING = { stored: 0, deadLettered: 0, overflowed: 0, lost: 0, duplicates: 0 };

test('all that was acknowledged is stored: nothing is lost', async (t) => {
  t.same(await count({ acknowledged: [0, 1, 2], rows: [0, 1, 2] }), { ...NOTHING, stored: 3 });
});

test('an acknowledged report without a row is lost, one that was not acknowledged is not', async (t) => {
  t.same(await count({ acknowledged: [0, 1, 3, 4], rows: [0, 4, 5] }), { ...NOTHING, stored: 3, lost: 2 });
});

test('a second row of a report is a duplicate', async (t) => {
  t.same(await count({ acknowledged: [0, 1], rows: [0, 1, 1, 0] }), { ...NOTHING, stored: 2, duplicates: 2 });
});

test('dead letters and overflow are kept, not lost; those of other runs do not count', async (t) => {
  const aside: AsideKey[] = [
    { kind: 'dead-letter', reason: 'time-in-future', runId: RUN, seq: 1 },
    { kind: 'overflow', reason: 'over-limit', runId: RUN, seq: 2 },
    { kind: 'dead-letter', reason: 'malformed-json' },
    { kind: 'dead-letter', reason: 'time-in-future', runId: 'other', seq: 0 },
  ];
  const counted = await count({ acknowledged: [0, 1, 2, 3], rows: [0], aside });
  t.same(counted, { stored: 1, deadLettered: 1, overflowed: 1, lost: 1, duplicates: 0 });
});

test('what is older than the store keeps was not lost', async (t) => {
  const given = { acknowledged: [0, 1, 2, 3, 4, 5], rows: [3, 5] };
  t.equal((await count(given)).lost, 4);
  t.equal((await count({ ...given, keptSinceMs: 150 })).lost, 1);
});
