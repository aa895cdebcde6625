import t from 'tap';
import { Placer } from '../../collector/place.ts';
import { SENT_HEADERS } from '../../telemetry/topics.ts';
import { aRecord, aReport, MemoryStore } from './doubles.ts';

const NOW = Date.UTC(2026, 0, 1);
const DAY_MS = 86_400_000;
const sentBy = (bootId: string, uptimeMs: number) => ({
  [SENT_HEADERS.bootId]: bootId,
  [SENT_HEADERS.uptimeMs]: String(uptimeMs),
});

async function placedAt(placer: Placer, rest: Parameters<typeof aReport>[0], record: Parameters<typeof aRecord>[1]) {
  const report = aReport({ clockSynchronised: false, timestamp: 0, ...rest });
  const placement = await placer.place(report, aRecord(report, { appendedAt: NOW, ...record }));
  return 'placed' in placement ? placement.placed.placedAt : placement.reason;
}

t.test('a synchronised clock is believed within 24 h ahead and the retention behind, both inclusive', async (t) => {
  const placer = new Placer(new MemoryStore(), 7 * DAY_MS);
  const at = (timestamp: number) => placedAt(placer, { clockSynchronised: true, timestamp }, {});
  t.equal(await at(NOW + DAY_MS), NOW + DAY_MS);
  t.equal(await at(NOW + DAY_MS + 1), 'time-in-future');
  t.equal(await at(NOW - 7 * DAY_MS), NOW - 7 * DAY_MS);
  t.equal(await at(NOW - 7 * DAY_MS - 1), 'time-too-old');
});

t.test('a boot with an unset clock gets one anchor, from the uptime at sending, and keeps it', async (t) => {
  const store = new MemoryStore();
  const placer = new Placer(store, DAY_MS);
  // Sampled 5 s after boot, sent 40 s after boot: it waited 35 s in the spool.
  t.equal(await placedAt(placer, { uptimeMs: 5000 }, { headers: sentBy('boot-1', 40_000) }), NOW - 35_000);
  t.equal(await placedAt(placer, { uptimeMs: 6000 }, { headers: sentBy('boot-1', 99_000) }), NOW - 34_000);
  t.equal(store.calls.filter((call) => call === 'bootAnchor').length, 1, 'asked for once');
  const other = new Placer(store, DAY_MS);
  t.equal(
    await placedAt(other, { uptimeMs: 7000 }, { appendedAt: NOW + DAY_MS }),
    NOW - 33_000,
    'another process agrees',
  );
});

t.test('a report that another boot sent is placed by its own uptime', async (t) => {
  const placer = new Placer(new MemoryStore(), DAY_MS);
  t.equal(await placedAt(placer, { uptimeMs: 5000 }, { headers: sentBy('boot-2', 900_000) }), NOW);
});

t.test('headers that cannot be true are not used', async (t) => {
  for (const uptime of ['', 'x', '-1', '4999']) {
    const placer = new Placer(new MemoryStore(), DAY_MS);
    const headers = { ...sentBy('boot-1', 0), [SENT_HEADERS.uptimeMs]: uptime };
    t.equal(await placedAt(placer, { uptimeMs: 5000 }, { headers }), NOW, uptime);
  }
});
