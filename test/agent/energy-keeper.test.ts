import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { EnergyKeeper, type EnergyKeeperOptions } from '../../agent/energy-keeper.ts';
import { writeFileAtomically } from '../../lib/atomic-file.ts';
import { type Log, silentLog } from '../../lib/log.ts';
import { ManualClock } from '../helpers/manual-clock.ts';
import { until } from '../helpers/until.ts';

const HOUR_MS = 3_600_000;
const totals = (joules: number) => ({ board: { joules, coveredSeconds: joules / 5 } });

function place(t: Test) {
  const root = t.testdir({ run: {} });
  const directory = join(root, 'data/energy');
  const runtimeDirectory = join(root, 'run');
  const said: string[] = [];
  const log: Log = { ...silentLog, warn: (_fields, message) => said.push(message) };
  const clock = new ManualClock();
  const writes: string[] = [];
  const write = async (path: string, content: string) => {
    await writeFileAtomically(path, content);
    writes.push(path === join(directory, 'energy.json') ? 'disk' : 'memory');
  };
  const keeper = (more: Partial<EnergyKeeperOptions> = {}) =>
    new EnergyKeeper({ directory, runtimeDirectory, clock, log, isInMemory: async () => true, write, ...more });
  return { directory, runtimeDirectory, said, clock, writes, keeper };
}

t.test('what was counted is there after a clean stop, even after the memory was lost', async (t) => {
  const { keeper } = place(t);
  const first = keeper();
  t.same(await first.open(), {}, 'nothing at first');
  await first.close(totals(100));
  t.same(await keeper({ runtimeDirectory: undefined }).open(), totals(100));
});

t.test('a killed agent goes on from the file in memory, which is at most 10 s old', async (t) => {
  const { clock, writes, keeper, runtimeDirectory } = place(t);
  const first = keeper();
  await first.open();
  await first.close(totals(100));
  const killed = keeper();
  await killed.open();
  writes.length = 0;
  for (let second = 1; second <= 60; second += 1) {
    await clock.advance(1000);
    killed.note(() => totals(100 + second));
    if (second % 10 === 0) await until('it is written', () => writes.length === second / 10);
  }
  t.same(writes, Array(6).fill('memory'), 'every 10 s, and none of it to disk');
  t.match(JSON.parse(readFileSync(join(runtimeDirectory, 'energy.json'), 'utf8')), { rails: totals(160) });
  t.same(await keeper().open(), totals(160));
});

t.test('the disk is written to four times a day, and at the stop', async (t) => {
  const { clock, writes, keeper } = place(t);
  const one = keeper({ runtimeDirectory: undefined });
  await one.open();
  for (let minute = 1; minute <= 24 * 60; minute += 1) {
    await clock.advance(60_000);
    const before = writes.length;
    one.note(() => totals(minute));
    if (minute % 360 === 0) await until('it is written', () => writes.length > before);
  }
  t.same(writes, Array(4).fill('disk'));
  await one.close(totals(2000));
  t.equal(writes.length, 5);
});

t.test('the younger file is believed, whatever the wall clock said when they were written', async (t) => {
  const { clock, writes, keeper } = place(t);
  const first = keeper();
  await first.open();
  await first.close(totals(100));
  // A board without a clock of its own starts in the past.
  clock.jumpWall(-50 * 365 * 24 * HOUR_MS);
  const second = keeper();
  await second.open();
  await clock.advance(10_000);
  second.note(() => totals(150));
  await until('it is written', () => writes.length === 3);
  t.same(await keeper().open(), totals(150), 'the file in memory, though it is 50 years older');

  await second.close(totals(200));
  clock.jumpWall(60 * 365 * 24 * HOUR_MS);
  t.same(await keeper().open(), totals(200));
});

t.test('garbage, foreign files and odd places are said, and the other file is believed', async (t) => {
  const whole = readWhole();
  for (const [content, reason] of [
    ['', /no JSON/],
    [whole.slice(0, 40), /no JSON/],
    ['{"version":"of something else"}', /not what an agent writes/],
    [whole.replace('100', '-100'), /not what an agent writes/],
    [whole.replace('100', '1e999'), /not what an agent writes/],
    [whole.replace('"schemaVersion":1', '"schemaVersion":2'), /not what an agent writes/],
    ['x'.repeat(100_000), /100000 bytes/],
  ] as const) {
    const { directory, keeper, said } = place(t);
    const first = keeper();
    await first.open();
    await first.close(totals(100));
    writeFileSync(join(directory, 'energy.json'), content);
    const second = keeper();
    t.same(await second.open(), totals(100), 'from memory');
    t.match(said, [reason]);
    await second.close(totals(120));
    t.same(await keeper({ runtimeDirectory: undefined }).open(), totals(120), 'and the file is whole again');
  }
  const { directory, keeper, said } = place(t);
  mkdirSync(join(directory, 'energy.json'), { recursive: true });
  const odd = keeper({ runtimeDirectory: undefined });
  t.same(await odd.open(), {});
  await odd.close(totals(1));
  t.match(said, [/it is no file/, /cannot keep the energy/]);
});

t.test('a full disk is said once, and what is in memory still serves', async (t) => {
  const { directory, keeper, said, clock, runtimeDirectory } = place(t);
  let tries = 0;
  const write = async (path: string, content: string) => {
    tries += 1;
    if (path.startsWith(directory)) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    await writeFileAtomically(path, content);
  };
  const full = keeper({ write });
  await full.open();
  for (let hour = 1; hour <= 5; hour += 1) {
    await clock.advance(6 * HOUR_MS);
    const before = tries;
    full.note(() => totals(hour));
    await until('it was tried', () => tries === before + 2);
    await clock.advance(0);
  }
  t.match(said[0], /cannot keep the energy counted so far in .*energy.json: no space left on device. Counting goes on/);
  t.match(readFileSync(join(runtimeDirectory, 'energy.json'), 'utf8'), /"joules":5/);
  await t.resolves(full.close(totals(6)));
});

t.test('a directory that can not be made keeps nobody from counting', async (t) => {
  const { keeper, said, runtimeDirectory } = place(t);
  const nowhere = keeper({ directory: '/proc/nothing/energy' });
  t.same(await nowhere.open(), {});
  await nowhere.close(totals(7));
  t.match(said, [/energy is not kept on disk/, /cannot keep the energy/]);
  t.match(readFileSync(join(runtimeDirectory, 'energy.json'), 'utf8'), /"joules":7/);
});

t.test('only who holds the directory writes', async (t) => {
  const { keeper, said, clock, writes } = place(t);
  const holder = keeper();
  await holder.open();
  const other = keeper();
  await other.open();
  t.match(said, [/is in use by process/]);
  await clock.advance(6 * HOUR_MS);
  other.note(() => totals(9));
  await other.close(totals(9));
  t.same(writes, []);
  await holder.close(totals(1));
  t.same(writes, ['memory', 'disk']);
});

t.test('a directory for memory that is on a disk is not used', async (t) => {
  const { keeper, said, clock, writes } = place(t);
  const one = keeper({ isInMemory: async () => false });
  await one.open();
  t.match(said, [/is on a disk, which a write every 10 s would wear/]);
  await clock.advance(60_000);
  one.note(() => totals(1));
  await one.close(totals(1));
  t.same(writes, ['disk']);
});

t.test('what a power cut left half written is removed', async (t) => {
  const { directory, keeper } = place(t);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'energy.json.1234.draft'), '{"ki');
  const one = keeper();
  await one.open();
  t.same(
    readdirSync(directory).filter((name) => !name.startsWith('lock.')),
    [],
  );
  await one.close({});
});

/** What an agent writes. */
function readWhole(): string {
  return JSON.stringify({
    kind: 'ericht-energy',
    schemaVersion: 1,
    generation: 1,
    writtenAt: 0,
    rails: totals(100),
  });
}
