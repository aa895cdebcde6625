import t from 'tap';
import { EnergyKeeper } from '../../../agent/energy-keeper.ts';
import { type RailEnergyKeeper, type RailsOptions, RailsSampler } from '../../../agent/samplers/rails.ts';
import { Sampling } from '../../../agent/sampling.ts';
import type { RailCounts, RailFinding, RailReader, RailReading } from '../../../hardware/rail-reader.ts';
import { ErichtError } from '../../../lib/errors.ts';
import { silentLog } from '../../../lib/log.ts';
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
  counts: RailCounts = {};
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
  return samplerWith(rails);
}

function samplerWith(
  rails: Rail[],
  { clock = new ManualClock(), keeper }: Partial<RailsOptions & { clock: ManualClock }> = {},
) {
  const source = {
    look: async () => rails,
    whyNone: async () => 'no power source',
    close: async () => {
      for (const rail of rails) await rail.close();
    },
  };
  return { clock, rails, sampler: new RailsSampler({ source, intervalMs: 1000, clock, keeper }) };
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

t.test('what a reader counted window by window is taken as it is, of a report without a value, too', async (t) => {
  const all = samplerOf(new Rail('board'));
  const [rail] = all.rails as [Rail];
  await all.sampler.find();
  const counted = { joules: 4, seconds: 0.8 };
  rail.counts = { resets: 0, saturatedWindows: 0, overflowedWindows: 0, missedWindows: 0 };
  rail.answer = async () => ({ ...FIVE_WATTS, counted });
  t.match(await tick(all), [{ powerWatts: 5, energyJoules: 4, coveredSeconds: 0.8, missedWindows: 0 }]);
  t.match(await tick(all), [{ powerWatts: 5, energyJoules: 8, coveredSeconds: 1.6 }], 'and nothing beside it');
  rail.answer = async () => ({ saturated: true, counted });
  rail.counts = { ...rail.counts, saturatedWindows: 1, resets: 2 };
  const [report] = await tick(all);
  t.match(report, { saturated: true, energyJoules: 12, coveredSeconds: 2.4, saturatedWindows: 1, resets: 2 });
  t.notOk('powerWatts' in report!);
  t.notOk('counted' in report!);
});

t.test('a search that hangs on one bus leaves the other rails readable', async (t) => {
  const all = samplerOf(new Rail('board'), new Rail('lights'));
  all.rails[0]!.find = () => new Promise(() => {});
  const search = all.sampler.find();
  await all.clock.advance(1000);
  t.match(await search, { found: true, detail: /board absent: .*no answer.*; lights: INA226/ });
  const sample = all.sampler.sample(never);
  await all.clock.advance(1000);
  t.match((await sample).rails, [
    { label: 'board', absent: String },
    { label: 'lights', powerWatts: 5 },
  ]);
});

t.test('joules go on from what an earlier run kept', async (t) => {
  const directory = t.testdir({});
  const run = () => {
    const clock = new ManualClock();
    return samplerWith([new Rail('board')], { clock, keeper: new EnergyKeeper({ directory, clock, log: silentLog }) });
  };
  const first = run();
  await first.sampler.find();
  await tick(first);
  t.match(await tick(first), [{ energyJoules: 5, coveredSeconds: 1 }]);
  await first.sampler.stop();

  const second = run();
  await second.sampler.find();
  t.match(await tick(second), [{ energyJoules: 5, coveredSeconds: 1 }], 'nothing for the time between');
  t.match(await tick(second), [{ energyJoules: 10, coveredSeconds: 2 }]);
  await second.sampler.stop();
});

t.test('a rail that is not there in this run keeps its joules for the next', async (t) => {
  const directory = t.testdir({});
  const run = (...labels: string[]) => {
    const clock = new ManualClock();
    const keeper = new EnergyKeeper({ directory, clock, log: silentLog });
    return samplerWith(
      labels.map((label) => new Rail(label)),
      { clock, keeper },
    );
  };
  for (const labels of [['board', 'lights'], ['board'], ['lights']]) {
    const all = run(...labels);
    await all.sampler.find();
    await tick(all);
    await tick(all);
    await all.sampler.stop();
  }
  const last = run('board', 'lights');
  await last.sampler.find();
  t.match(await tick(last), [{ energyJoules: 10 }, { energyJoules: 10 }]);
  await last.sampler.stop();
});

t.test('a slow disk holds up no report: what it kept is added when it comes', async (t) => {
  let come: (kept: Record<string, { joules: number; coveredSeconds: number }>) => void = () => {};
  const keeper: RailEnergyKeeper = {
    open: () => new Promise((resolve) => (come = resolve)),
    note() {},
    async close() {},
  };
  const all = samplerWith([new Rail('board')], { keeper });
  const search = all.sampler.find();
  await all.clock.advance(600);
  await search;
  await tick(all);
  t.match(await tick(all), [{ energyJoules: 5 }]);
  come({ board: { joules: 1000, coveredSeconds: 200 } });
  t.match(await tick(all), [{ energyJoules: 1010, coveredSeconds: 202 }]);
});

t.test('a board without a rail touches no disk for it', async (t) => {
  let opened = false;
  const keeper: RailEnergyKeeper = {
    open: async () => {
      opened = true;
      return {};
    },
    note() {},
    async close() {},
  };
  await samplerWith([], { keeper }).sampler.find();
  t.notOk(opened);
});

t.test('a stop waits for the disk, which takes its time, but not for ever', async (t) => {
  const clock = new ManualClock();
  let written = false;
  const keeper: RailEnergyKeeper = {
    open: async () => ({}),
    note() {},
    close: () =>
      new Promise((resolve) => {
        clock.setTimer(() => {
          written = true;
          resolve();
        }, 1500);
      }),
  };
  const { sampler } = samplerWith([new Rail('board')], { clock, keeper });
  const sampling = new Sampling({ samplers: [sampler], intervalMs: 1000, clock, log: silentLog });
  await sampling.start();
  let writtenAtStop: boolean | undefined;
  void sampling.stop().then(() => {
    writtenAtStop = written;
  });
  await clock.advance(1600);
  t.equal(writtenAtStop, true);
});
