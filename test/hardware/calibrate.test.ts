import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type Calibration, calibrate, moduleLike } from '../../hardware/calibrate.ts';
import { FakeIna226 } from '../../hardware/i2c/fake-chip.ts';
import type { RailReader, RailReading } from '../../hardware/rail-reader.ts';
import { RailFinder } from '../../hardware/rails/rail-finder.ts';
import { ManualClock } from '../helpers/manual-clock.ts';

/** Moves the clock until `work` is done; files are read in real time meanwhile. */
async function run<T>(clock: ManualClock, work: Promise<T>): Promise<T> {
  let done = false;
  const settled = work.finally(() => {
    done = true;
  });
  settled.catch(() => {});
  for (let turn = 0; !done && turn < 2000; turn += 1) {
    await clock.advance(50);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return settled;
}

/** What a rail over this chip, configured with this shunt, gives when `knownAmperes` are said to flow. */
async function calibrated(
  t: Test,
  { shuntVolts, shuntOhms, knownAmperes }: { shuntVolts: number; shuntOhms: number; knownAmperes: number },
): Promise<Calibration> {
  const clock = new ManualClock();
  const root = t.testdir({ dev: { 'i2c-1': '' }, sys: {} });
  const chip = new FakeIna226(0x40, { clock });
  chip.load = { busVolts: 5, shuntVolts };
  const finder = new RailFinder({
    sysfs: join(root, 'sys'),
    dev: join(root, 'dev'),
    settings: [{ label: 'main', measures: 'board', bus: 1, address: 0x40, shuntOhms }],
    intervalMs: 1000,
    clock,
    openBus: () => chip,
  });
  const [rail] = await finder.look();
  try {
    return await run(clock, calibrate({ rail: rail!, shuntOhms, knownAmperes, intervalMs: 1000, clock }));
  } finally {
    await finder.close();
  }
}

t.test('the shunt is the voltage over it by the known current, whatever was configured', async (t) => {
  for (const configured of [0.01, 0.0095, 0.012]) {
    const result = await calibrated(t, { shuntVolts: 0.0103, shuntOhms: configured, knownAmperes: 1 });
    t.match(result, { shuntOhms: 0.0103, configuredOhms: configured, readings: 10, backwards: false });
    t.ok(Math.abs(result.shuntVolts - 0.0103) < 2.5e-6, `${result.shuntVolts} V`);
    t.equal(result.spreadRatio, 0);
    t.ok(Math.abs(result.uncertaintyRatio - (10e-6 / 0.0103 + 0.001)) < 1e-5, 'offset and gain of the chip');
  }
});

t.test('a current that flows backwards gives the same shunt, and is told', async (t) => {
  const result = await calibrated(t, { shuntVolts: -0.02, shuntOhms: 0.01, knownAmperes: 2 });
  t.match(result, { shuntOhms: 0.01, backwards: true });
});

t.test('what can not be the known current is refused with what it would be', async (t) => {
  const cases: [string, Parameters<typeof calibrated>[1], RegExp][] = [
    ['no load', { shuntVolts: 20e-6, shuntOhms: 0.01, knownAmperes: 1 }, /only 0.020 mV across the shunt/],
    [
      'a shunt at full scale',
      { shuntVolts: 0.09, shuntOhms: 0.1, knownAmperes: 1 },
      /full scale.*0.1 ohm measures up to 0.82 A/,
    ],
    [
      'an R100 module',
      { shuntVolts: 0.05, shuntOhms: 0.01, knownAmperes: 0.5 },
      /is 0.1 ohm, and 0.01 is configured. This is a module marked R100/,
    ],
    ['an R010 module', { shuntVolts: 0.0102, shuntOhms: 0.1, knownAmperes: 1 }, /marked R010: .* set shuntOhms: 0.01 /],
    ['an R002 module', { shuntVolts: 0.00205, shuntOhms: 0.01, knownAmperes: 1 }, /marked R002/],
    [
      'no module at all',
      { shuntVolts: 0.03, shuntOhms: 0.01, knownAmperes: 1 },
      /no common module has such a shunt|No common module/,
    ],
  ];
  for (const [what, load, message] of cases) {
    await t.rejects(calibrated(t, load), { code: 'CALIBRATION_REFUSED', message }, what);
  }
});

/** A rail that gives these readings, the last one for ever. */
function railOf(readings: RailReading[], more: Partial<RailReader> = {}): RailReader {
  return {
    label: 'main',
    measures: 'board',
    source: 'i2c',
    location: 'here',
    find: async () => ({ found: true, detail: 'here' }),
    read: async () => (readings.length > 1 ? readings.shift()! : readings[0]!),
    close: async () => {},
    ...more,
  };
}

const amperes = (currentAmperes: number): RailReading => ({
  busVolts: 5,
  currentAmperes,
  powerWatts: 5 * currentAmperes,
});

function calibratedWith(rail: RailReader): Promise<Calibration> {
  const clock = new ManualClock();
  return run(clock, calibrate({ rail, shuntOhms: 0.01, knownAmperes: 1, intervalMs: 1000, clock }));
}

t.test('a load that moves is no measure; a little noise is averaged away', async (t) => {
  const noisy = [0.995, 1.005, 0.995, 1.005, 0.995, 1.005, 0.995, 1.005, 0.995, 1.005].map(amperes);
  const result = await calibratedWith(railOf(noisy));
  t.equal(result.shuntOhms, 0.01);
  t.ok(Math.abs(result.spreadRatio - 0.01) < 1e-5);
  await t.rejects(calibratedWith(railOf([amperes(0.98), amperes(1.02)])), {
    code: 'CALIBRATION_REFUSED',
    message: /moves by \d\.\d % between readings/,
  });
});

t.test('whole milliamperes of the kernel count as uncertainty', async (t) => {
  const fine = await calibratedWith(railOf([amperes(1)]));
  const coarse = await calibratedWith(railOf([amperes(1)], { source: 'hwmon', stepVolts: 1e-5 }));
  t.ok(Math.abs(coarse.uncertaintyRatio - fine.uncertaintyRatio - 0.0005) < 1e-6);
});

t.test('a rail that gives nothing is given up with its reason', async (t) => {
  await t.rejects(calibratedWith(railOf([{ absent: 'the first averaging window is not over' }])), {
    code: 'SENSOR_UNREADABLE',
    message: 'cannot read rail main: the first averaging window is not over',
  });
  const gone = railOf([], { find: async () => ({ found: false, detail: 'no chip answers at this address' }) });
  await t.rejects(calibratedWith(gone), { message: 'cannot read rail main: no chip answers at this address' });
});

t.test('a first window that is late does not end it', async (t) => {
  const late = railOf([{ absent: 'the first averaging window is not over' }, amperes(1)]);
  t.equal((await calibratedWith(late)).shuntOhms, 0.01);
});

t.test('a print is named only for a shunt that is near it', async (t) => {
  t.equal(moduleLike(0.0985)?.print, 'R100');
  t.equal(moduleLike(0.0021)?.print, 'R002');
  t.equal(moduleLike(0.03), undefined);
});
