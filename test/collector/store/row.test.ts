import { readdirSync, readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { test } from 'tap';
import { type FetchedRow, fromRow, REPORT_COLUMNS, rowValues, toRow } from '../../../collector/store/row.ts';
import { decodeReport } from '../../../telemetry/codec.ts';
import type { Report } from '../../../telemetry/report.ts';
import { asStored, goldenReport, placed, seeded } from './samples.ts';

/** Through a row and back, as a store would: by column, booleans as they come. */
function thereAndBack(report: Report, placedAt = report.timestamp) {
  const made = toRow(placed(report, { placedAt }));
  if ('refused' in made) throw new Error(made.refused);
  const values = rowValues(made.row);
  const fetched = Object.fromEntries(REPORT_COLUMNS.map((name, index) => [name, values[index] ?? null]));
  return fromRow(fetched as FetchedRow);
}

test('any report comes back from its row, less what it repeats from an earlier reading', async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  t.comment(`seed ${seed}`);
  const random = seeded(seed);
  for (let round = 0; round < 500; round += 1) {
    const report = randomReport(random);
    const placedAt = random() < 0.5 ? report.timestamp : 1_790_000_000_000 + Math.floor(random() * 1e9);
    const back = thereAndBack(report, placedAt);
    if (!isDeepStrictEqual(back, { report: asStored(report), placedAt, appendedAt: report.timestamp + 5 })) {
      t.same(back.report, asStored(report), `round ${round} of seed ${seed}`);
      return;
    }
  }
  t.pass('500 reports came back');
});

test('golden reports come back from their rows', async (t) => {
  const folder = new URL('../../fixtures/reports/v1/', import.meta.url);
  for (const name of readdirSync(folder)) {
    const decoded = decodeReport(readFileSync(new URL(name, folder)));
    if (!decoded.ok) throw new Error(decoded.detail);
    t.same(thereAndBack(decoded.value, 1_790_000_000_000).report, asStored(decoded.value), name);
  }
});

test('lists that were not sampled for this very report are not written again', async (t) => {
  const made = toRow(placed(goldenReport(3, 1_790_000_000_000)));
  if ('refused' in made) throw new Error(made.refused);
  t.notMatch(String(made.row.detail), /container|mounts|interfaces/);
  const bare = goldenReport(3, 1_790_000_000_000, { cpu: { usageRatio: 0.5 }, temperature: { temperatureCelsius: 4 } });
  const bareRow = toRow(placed(bare));
  t.equal('row' in bareRow && bareRow.row.detail, undefined, 'with nothing left there is no detail at all');
});

test('the power of a row is what the node draws: the inlet is not counted, unknown is not 0', async (t) => {
  const powerOf = (report: Report) => {
    const made = toRow(placed(report));
    return 'row' in made ? made.row.power_watts : 'refused';
  };
  const inlet = { label: 'in', measures: 'inlet' as const, source: 'i2c' as const, powerWatts: 40 };
  const board = { label: 'b', measures: 'board' as const, source: 'i2c' as const, powerWatts: 4 };
  t.equal(powerOf(goldenReport(0, 0, { rails: [inlet, board] })), 4);
  t.equal(powerOf(goldenReport(0, 0, { rails: [] })), undefined);
});

test('a row that no store could hold is refused with the reason', async (t) => {
  const why = (report: Report, placedAt = 0) => {
    const made = toRow(placed(report, { placedAt }));
    return 'refused' in made ? made.refused : '';
  };
  const report = goldenReport(0, 0);
  t.match(why(report, 1e17), /1970 to 9999/);
  t.match(why({ ...report, runId: '\ud800' }), /surrogate/);
  t.match(why({ ...report, blob: 'x'.repeat(600_000) }), /at most/);
});

function randomReport(random: () => number): Report {
  const maybe = <T>(make: () => T): T | undefined => (random() < 0.5 ? make() : undefined);
  const report = goldenReport(Math.floor(random() * 1e6), 1_790_000_000_000 + Math.floor(random() * 1e9));
  const sections = ['cpu', 'load', 'memory', 'temperature', 'rails', 'storage', 'network', 'docker', 'self'] as const;
  for (const name of sections) if (random() < 0.3) delete report[name];
  if (report.cpu && random() < 0.5) report.cpu = { usageRatio: random(), ...(random() < 0.5 && { [word(random)]: 1 }) };
  for (const name of ['storage', 'docker'] as const) {
    const section = report[name];
    if (section && random() < 0.5) delete section.sampledAt;
  }
  const spool = maybe(() => ({ waitingReports: Math.floor(random() * 100), waitingBytes: 5, ...junk(random) }));
  if (spool) report.spool = spool;
  if (random() < 0.2) report.goodbye = true;
  if (random() < 0.2) report.simulated = true;
  if (random() < 0.3)
    report.claim = { unacknowledged: [{ from: 1, to: 2 }], dropped: [], ...maybe(() => ({ earlierRuns: [] })) };
  for (const rail of report.rails ?? []) if (random() < 0.5) Object.assign(rail, junk(random));
  return Object.assign(report, junk(random));
}

/** Fields that this version doesn't know, of any JSON type. */
function junk(random: () => number): Record<string, unknown> {
  const value = (depth: number): unknown => {
    const kind = Math.floor(random() * (depth > 2 ? 5 : 7));
    if (kind === 0) return null;
    if (kind === 1) return random() < 0.5;
    if (kind === 2) return (random() - 0.5) * 10 ** Math.floor(random() * 30);
    if (kind === 3) return Math.floor(random() * Number.MAX_SAFE_INTEGER);
    if (kind === 4) return `${word(random)}\u0000"\\ ü😀`;
    if (kind === 5) return Array.from({ length: Math.floor(random() * 4) }, () => value(depth + 1));
    return { [word(random)]: value(depth + 1) };
  };
  return Object.fromEntries(Array.from({ length: Math.floor(random() * 3) }, () => [word(random), value(0)]));
}

function word(random: () => number): string {
  return `x${Math.floor(random() * 1e9).toString(36)}`;
}
