import t, { test } from 'tap';
import { audit } from '../../../collector/audit.ts';
import { SETTLING_MS } from '../../../collector/store/sqlite/settled-time.ts';
import type { SqliteStore } from '../../../collector/store/sqlite/store.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';
import { type Teardown, tempDir } from '../../helpers/temp.ts';
import { goldenReport, placed, series } from './samples.ts';
import { countOf, DAY_MS, storeIn } from './sqlite-store.ts';

t.setTimeout(60_000);

const START = Date.UTC(2026, 5, 1, 12);
const FAR = 300 * DAY_MS;

interface Stand {
  store: SqliteStore;
  clock: ManualClock;
  directory: string;
  /** A minute goes by and the store tidies up, for so long. */
  tidyFor(ms: number): Promise<number>;
}

/** A store that has run evenly for long, with 50 rows of the last minute. */
async function stand(t: Teardown): Promise<Stand> {
  const clock = new ManualClock(START);
  const directory = await tempDir(t);
  const store = storeIn(t, directory, { clock });
  await store.start();
  const tidyFor = async (ms: number) => {
    let deletedRows = 0;
    for (let gone = 0; gone < ms; gone += 60_000) {
      clock.sleepThrough(60_000);
      deletedRows += (await store.maintain()).deletedRows;
    }
    return deletedRows;
  };
  await tidyFor(2 * SETTLING_MS);
  await store.writeReports(series({ clusterId: 'c', count: 50, fromMs: clock.now() - 60_000 }));
  return { store, clock, directory, tidyFor };
}

test('nothing is deleted by a clock that jumped 300 days ahead and is set right again', async (t) => {
  const { store, clock, tidyFor } = await stand(t);
  clock.jumpWall(FAR);
  t.equal(await tidyFor(SETTLING_MS / 2), 0);
  t.equal(await countOf(store), 50, 'and all is answered meanwhile');
  t.equal(await store.keptSinceMs(), 0);
  clock.jumpWall(-FAR);
  t.equal(await tidyFor(2 * SETTLING_MS), 0);
  t.equal(await countOf(store), 50);
});

test('a clock that runs evenly for an hour after its jump is believed', async (t) => {
  const { store, clock, tidyFor } = await stand(t);
  clock.jumpWall(FAR);
  t.equal(await tidyFor(SETTLING_MS - 60_000), 0);
  t.equal(await tidyFor(5 * 60_000), 50);
  t.equal(await countOf(store), 0);
  t.ok((await store.keptSinceMs()) > START + FAR - 7 * DAY_MS, 'and what went is told');
});

test('what is written after a deletion by a wrong date is not called gone', async (t) => {
  const { store, clock, tidyFor } = await stand(t);
  clock.jumpWall(FAR);
  await tidyFor(2 * SETTLING_MS);
  clock.jumpWall(-FAR);
  await tidyFor(2 * SETTLING_MS);
  t.ok((await store.keptSinceMs()) < clock.now());
});

test('a machine that starts with a wrong date deletes nothing by it for an hour', async (t) => {
  const { store, clock, directory } = await stand(t);
  await store.stop();
  clock.jumpWall(FAR);
  const again = storeIn(t, directory, { clock });
  await again.start();
  clock.sleepThrough(SETTLING_MS / 2);
  t.equal((await again.maintain()).deletedRows, 0);
  t.equal(await countOf(again), 50);
});

test('rows are stored whatever the clock says', async (t) => {
  const { store, clock } = await stand(t);
  const young = series({ clusterId: 'c', nodeId: 'pi-02', count: 5, fromMs: clock.now() });
  clock.jumpWall(FAR);
  t.ok((await store.writeReports(young)).every(({ stored }) => stored));
  t.same(await store.nodes('c'), ['pi-01', 'pi-02']);
  const query = { clusterId: 'c', nodeId: 'pi-02', fromMs: 0, toMs: Number.MAX_SAFE_INTEGER };
  t.equal((await store.reports(query, { order: 'oldest', limit: 10 })).length, 5);
});

test('an audit from a process whose clock is 300 days ahead judges all rows', async (t) => {
  const { store, directory, clock } = await stand(t);
  const reader = storeIn(t, directory, { clock: new ManualClock(clock.now() + FAR), readOnly: true });
  await reader.start();
  const { totals } = await audit({ reader, aside: store, nowMs: await reader.nowMs() });
  t.match(totals, { stored: 50, lost: 0 });
});

test('the newest report and facts move on after a reboot with the clock set back', async (t) => {
  const { store, clock } = await stand(t);
  const identity = { schemaVersion: 1, clusterId: 'c', nodeId: 'pi-01', runId: 'r', intervalMs: 1000 };
  const boot = async (bootId: string, seq: number) => {
    const now = clock.now();
    const report = goldenReport(seq, now, { clusterId: 'c', bootId, runId: `run of ${bootId}` });
    await store.writeLatest([placed(report, { appendedAt: now })]);
    await store.writeFacts([{ facts: { ...identity, bootId, timestamp: now }, appendedAt: now }]);
    const [facts] = await store.facts('c');
    return [(await store.latest('c'))[0]?.report.bootId, facts?.facts.bootId];
  };
  clock.jumpWall(FAR);
  t.same(await boot('ahead', 5), ['ahead', 'ahead']);
  clock.jumpWall(-FAR);
  t.same(await boot('right', 2), ['right', 'right']);
  clock.sleepThrough(1000);
  t.same(await boot('later', 1), ['later', 'later']);
});
