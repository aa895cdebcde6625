import t from 'tap';
import { RailsSampler } from '../../../agent/samplers/rails.ts';
import type { RailFinding, RailReader, RailReading } from '../../../hardware/rail-reader.ts';
import { ErichtError } from '../../../lib/errors.ts';
import { railSchema } from '../../../telemetry/report.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';

const never = new AbortController().signal;
const FIVE_WATTS = { busVolts: 5, currentAmperes: 1, powerWatts: 5 };

class Rail implements RailReader {
  readonly label: string;
  readonly measures = 'board';
  readonly source = 'i2c';
  readonly location = '/dev/i2c-1 address 0x40';
  readonly shuntOhms = 0.01;
  finding: RailFinding = { found: true, detail: 'INA226' };
  answer: () => Promise<RailReading> = async () => FIVE_WATTS;
  searches = 0;
  reads = 0;
  closed = false;

  constructor(label: string) {
    this.label = label;
  }

  async find() {
    this.searches += 1;
    return this.finding;
  }

  read() {
    this.reads += 1;
    return this.answer();
  }

  async close() {
    this.closed = true;
  }
}

function samplerOf(...rails: Rail[]) {
  const clock = new ManualClock();
  const source = {
    look: async () => rails,
    whyNone: async () => 'no power source',
    close: async () => {
      for (const rail of rails) await rail.close();
    },
  };
  return { clock, rails, sampler: new RailsSampler({ source, intervalMs: 1000, clock }) };
}

async function tick({ clock, sampler }: ReturnType<typeof samplerOf>) {
  await clock.advance(1000);
  const { rails = [] } = await sampler.sample(never);
  for (const rail of rails) railSchema.parse(rail);
  return rails;
}

t.test('joules are counted from what each rail draws, with the seconds they cover', async (t) => {
  const all = samplerOf(new Rail('board'));
  await all.sampler.find();
  await tick(all);
  await tick(all);
  t.same(await tick(all), [
    { label: 'board', measures: 'board', source: 'i2c', ...FIVE_WATTS, energyJoules: 10, coveredSeconds: 2 },
  ]);
});

t.test('a rail that fails is absent with its reason, and its neighbour goes on', async (t) => {
  const all = samplerOf(new Rail('board'), new Rail('lights'));
  await all.sampler.find();
  await tick(all);
  all.rails[0]!.answer = async () => {
    throw new ErichtError('SENSOR_UNREADABLE', { what: 'cannot reach 0x40', why: 'no chip answers at this address' });
  };
  const [board, lights] = await tick(all);
  t.match(board, { absent: 'cannot reach 0x40: no chip answers at this address', energyJoules: 0 });
  t.notOk('powerWatts' in board!);
  t.match(lights, { powerWatts: 5, energyJoules: 5 });
});

t.test('a single second without a reading is not bridged', async (t) => {
  const all = samplerOf(new Rail('board'));
  const [rail] = all.rails as [Rail];
  await all.sampler.find();
  await tick(all);
  for (const nothing of [{ saturated: true }, { absent: 'charging' }] as const) {
    rail.answer = async () => nothing;
    await tick(all);
    rail.answer = async () => FIVE_WATTS;
    t.match(await tick(all), [{ powerWatts: 5, energyJoules: 0, coveredSeconds: 0 }]);
  }
});

t.test('a rail that is lost is looked for with growing patience, and comes back without a made-up joule', async (t) => {
  const all = samplerOf(new Rail('board'));
  const [rail] = all.rails as [Rail];
  await all.sampler.find();
  await tick(all);
  await tick(all);
  rail.answer = () => Promise.reject(new Error('bus error'));
  await tick(all);
  rail.finding = { found: false, detail: 'no chip answers' };
  for (let second = 0; second < 600; second += 1) await tick(all);
  t.ok(rail.searches < 120, `${rail.searches} searches in 600 s`);
  t.ok(rail.searches > 5, `${rail.searches} searches in 600 s`);
  t.equal(rail.reads, 3, 'never read while lost');
  rail.finding = { found: true, detail: 'INA226' };
  rail.answer = async () => FIVE_WATTS;
  let back = await tick(all);
  for (let second = 0; second < 61 && !back[0]?.powerWatts; second += 1) back = await tick(all);
  t.match(back, [{ powerWatts: 5, energyJoules: 5, coveredSeconds: 1 }], 'nothing for the outage');
  t.match(await tick(all), [{ energyJoules: 10, coveredSeconds: 2 }]);
});

t.test('digits that no meter has are not sent', async (t) => {
  const all = samplerOf(new Rail('board'));
  all.rails[0]!.answer = async () => ({ busVolts: 5.1000000000000005, currentAmperes: 1 / 3, powerWatts: 1.7 });
  await all.sampler.find();
  t.match(await tick(all), [{ busVolts: 5.1, currentAmperes: 0.333333, powerWatts: 1.7 }]);
});

t.test('full scale is flagged and has no number, and is not counted', async (t) => {
  const all = samplerOf(new Rail('board'));
  await all.sampler.find();
  await tick(all);
  all.rails[0]!.answer = async () => ({ saturated: true });
  t.same(await tick(all), [
    { label: 'board', measures: 'board', source: 'i2c', saturated: true, energyJoules: 0, coveredSeconds: 0 },
  ]);
});

t.test('a transfer that hangs makes its rail absent in time, and no second one is begun beside it', async (t) => {
  const all = samplerOf(new Rail('board'), new Rail('lights'));
  const [board] = all.rails as [Rail, Rail];
  await all.sampler.find();
  let release: (reading: RailReading) => void = () => {};
  board.answer = () => new Promise((resolve) => (release = resolve));
  const hanging = all.sampler.sample(never);
  await all.clock.advance(800);
  t.match(await hanging, { rails: [{ absent: /no answer within/ }, { powerWatts: 5 }] });
  t.match(await tick(all), [{ absent: 'an earlier transfer has not ended' }, { powerWatts: 5 }]);
  t.equal(board.reads, 1);
  release(FIVE_WATTS);
  board.answer = async () => FIVE_WATTS;
  await all.clock.advance(0);
  t.match(await tick(all), [{ powerWatts: 5 }, { powerWatts: 5 }]);
});

t.test('a configured chip that does not answer is reported as absent from the first report on', async (t) => {
  const all = samplerOf(new Rail('board'));
  all.rails[0]!.finding = { found: false, detail: 'the chip at 0x40 is not an INA226' };
  t.match(await all.sampler.find(), { found: true, detail: 'board absent: the chip at 0x40 is not an INA226' });
  t.match(await tick(all), [{ label: 'board', absent: /not an INA226/ }]);
  t.match(all.sampler.facts(), { rails: [{ label: 'board', source: 'i2c', shuntOhms: 0.01 }] });
});

t.test('a repeated search keeps the joules', async (t) => {
  const all = samplerOf(new Rail('board'));
  await all.sampler.find();
  await tick(all);
  await tick(all);
  await all.sampler.find();
  t.match(await tick(all), [{ energyJoules: 10 }]);
});

t.test('a rail that goes and comes back counts on, but not over the time that it was away', async (t) => {
  const all = samplerOf(new Rail('board'));
  await all.sampler.find();
  await tick(all);
  await tick(all);
  const [rail] = all.rails.splice(0, 1) as [Rail];
  t.match(await all.sampler.find(), { found: false });
  t.same(await tick(all), []);
  all.rails.push(rail);
  await all.sampler.find();
  t.match(await tick(all), [{ energyJoules: 5 }]);
  t.match(await tick(all), [{ energyJoules: 10, coveredSeconds: 2 }]);
});

t.test('searches that overlap are one search, and readings go on beside it', async (t) => {
  const all = samplerOf(new Rail('board'));
  await all.sampler.find();
  const [first, second, parts] = await Promise.all([all.sampler.find(), all.sampler.find(), all.sampler.sample(never)]);
  t.equal(first, second);
  t.match(parts.rails, [{ powerWatts: 5 }]);
});

t.test('no rail at all is absent with the reason, and a stop closes what is open', async (t) => {
  const none = samplerOf();
  t.match(await none.sampler.find(), { found: false, detail: 'no power source' });
  t.same(await none.sampler.sample(never), {});
  t.same(none.sampler.facts(), {});
  const one = samplerOf(new Rail('board'));
  await one.sampler.find();
  await one.sampler.stop();
  t.ok(one.rails[0]!.closed);
});
