import t from 'tap';
import { encodeKeptEnergy } from '../../../agent/kept-energy.ts';
import { type RailEnergyKeeper, RailsSampler } from '../../../agent/samplers/rails.ts';
import { Sampling } from '../../../agent/sampling.ts';
import type { RailFinding, RailReader, RailReading, RailSource } from '../../../hardware/rail-reader.ts';
import { silentLog } from '../../../lib/log.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';

class Rail implements RailReader {
  readonly label: string;
  readonly measures = 'board';
  readonly location = 'somewhere';
  readonly source: RailSource;
  answer: () => Promise<RailFinding> = async () => ({ found: true, detail: 'INA226' });

  constructor(label: string, source: RailSource = 'i2c') {
    this.label = label;
    this.source = source;
  }

  find() {
    return this.answer();
  }

  async read(): Promise<RailReading> {
    return { busVolts: 5, currentAmperes: 1, powerWatts: 5 };
  }

  async close() {}
}

async function running(look: () => Promise<RailReader[]>, intervalMs: number) {
  const clock = new ManualClock();
  const source = { look, whyNone: async () => 'no power source', close: async () => {} };
  const sampler = new RailsSampler({ source, intervalMs, clock });
  const sampling = new Sampling({ samplers: [sampler], intervalMs, clock, log: silentLog });
  const started = sampling.start();
  await clock.advance(1000);
  await started;
  const round = async () => {
    await clock.advance(intervalMs);
    const ended = sampling.round();
    await clock.advance(250);
    await ended;
    return sampling.parts().rails ?? [];
  };
  return { clock, sampling, round };
}

t.test('a driver that takes a chip over while it is read serves it from then on, and the joules go on', async (t) => {
  let rails = [new Rail('board')];
  const { round } = await running(async () => rails, 1000);
  await round();
  const before = (await round())[0]!;
  t.match(before, { source: 'i2c', powerWatts: 5 });
  rails = [new Rail('board', 'hwmon'), new Rail('inlet', 'hwmon')];
  let after = await round();
  for (let second = 0; second < 60; second += 1) after = await round();
  t.match(after, [
    { label: 'board', source: 'hwmon', powerWatts: 5 },
    { label: 'inlet', powerWatts: 5 },
  ]);
  t.ok(after[0]!.energyJoules! > before.energyJoules! + 200);
});

t.test('a search that fails once takes no rail away', async (t) => {
  const rails = [new Rail('board')];
  let fails = false;
  const look = async () => {
    if (fails) throw new Error('EMFILE: too many open files');
    return rails;
  };
  const { round } = await running(look, 1000);
  t.match(await round(), [{ powerWatts: 5 }]);
  fails = true;
  for (let second = 0; second < 70; second += 1) t.equal((await round()).length, 1) || t.bailout();
});

t.test('a bus that hangs keeps no other rail from being found within 10 s, however long the interval', async (t) => {
  for (const intervalMs of [1000, 10_000, 60_000, 3_600_000]) {
    const stuck = new Rail('stuck');
    stuck.answer = () => new Promise(() => {});
    const { clock, sampling } = await running(async () => [stuck, new Rail('board')], intervalMs);
    await clock.advance(8000);
    t.match(sampling.findings(), [{ found: true, detail: /stuck absent: .*; board: INA226/ }], `${intervalMs} ms`);
  }
});

t.test('rails of today are kept, however many labels there were before', async (t) => {
  const clock = new ManualClock();
  const before = Object.fromEntries(
    Array.from({ length: 64 }, (_, index) => [`old-${index}`, { joules: 1, coveredSeconds: 1 }]),
  );
  let kept = '';
  const keeper: RailEnergyKeeper = {
    open: async () => before,
    note() {},
    close: async (rails) => {
      kept = encodeKeptEnergy({ generation: 1, writtenAt: 0, rails });
    },
  };
  const source = { look: async () => [new Rail('board')], whyNone: async () => '', close: async () => {} };
  const sampler = new RailsSampler({ source, intervalMs: 1000, clock, keeper });
  await sampler.find();
  await sampler.stop();
  t.hasProps(JSON.parse(kept).rails, ['board', 'old-0', 'old-62']);
});
