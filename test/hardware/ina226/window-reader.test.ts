import t from 'tap';
import { FakeIna226 } from '../../../hardware/i2c/fake-chip.ts';
import { averagingFor } from '../../../hardware/ina226/averaging.ts';
import { Ina226 } from '../../../hardware/ina226/device.ts';
import { Register } from '../../../hardware/ina226/registers.ts';
import { WindowReader } from '../../../hardware/ina226/window-reader.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';

const AVERAGING = averagingFor(1000);
const WINDOW_MS = AVERAGING.windowMs;
/** 5 V, 1 A over 10 mΩ. */
const FIVE_WATTS = { busVolts: 5, shuntVolts: 0.01 };
const TEN_WATTS = { busVolts: 5, shuntVolts: 0.02 };

async function watched({ lengthFactor = 1 } = {}) {
  const clock = new ManualClock();
  const chip = new FakeIna226(0x40, { clock, lengthFactor });
  chip.load = FIVE_WATTS;
  const device = new Ina226({ bus: chip, address: 0x40, shuntOhms: 0.01, averaging: AVERAGING });
  const reader = new WindowReader({ chip: device, averaging: AVERAGING, clock });
  await reader.start();
  return { clock, chip, reader, device };
}

t.test('nothing is told before the first window is over; then each window counts once', async (t) => {
  const { clock, chip, reader } = await watched();
  await clock.advance(WINDOW_MS - 1);
  t.match(reader.take(), { absent: /first averaging window/, counted: { joules: 0, seconds: 0 } });
  await clock.advance(501);
  const reading = reader.take();
  t.match(reading, { busVolts: 5, currentAmperes: 1, powerWatts: 5 });
  t.ok(Math.abs(reading.counted!.seconds - WINDOW_MS / 1000) < 1e-9, 'from the writing of the settings on');
  t.ok(Math.abs(reading.counted!.joules - 5 * reading.counted!.seconds) < 1e-9);
  t.equal(chip.windowsEnded, 1);
  t.same(reader.take().counted, { joules: 0, seconds: 0 }, 'taken once');
});

t.test('whoever asks a single time a second after the start has a value, from the slowest chip, too', async (t) => {
  for (const lengthFactor of [0.9, 1, 1.1]) {
    const { clock, reader } = await watched({ lengthFactor });
    await clock.advance(990);
    t.match(reader.take(), { powerWatts: 5 }, `oscillator ${lengthFactor}`);
  }
});

t.test('a report is the mean of the windows since the one before', async (t) => {
  const { clock, chip, reader } = await watched();
  await clock.advance(1000);
  reader.take();
  // The second window is half of each, the third all of the new load.
  await clock.advance(1.5 * WINDOW_MS - 1000);
  chip.load = TEN_WATTS;
  await clock.advance(1.5 * WINDOW_MS + 500);
  const reading = reader.take();
  t.equal(chip.windowsEnded, 3);
  t.ok('powerWatts' in reading && Math.abs(reading.powerWatts - (7.5 + 10) / 2) < 0.01, JSON.stringify(reading));
});

t.test('a second costs two looks and 1.2 windows: 8 transfers, none of them by who takes the reading', async (t) => {
  const { clock, chip, reader } = await watched();
  await clock.advance(10_000);
  const before = chip.transfers;
  for (let second = 0; second < 600; second += 1) {
    await clock.advance(1000);
    const { transfers } = chip;
    reader.take();
    t.equal(chip.transfers, transfers) || t.bailout();
  }
  const perSecond = (chip.transfers - before) / 600;
  t.comment(`${perSecond} transfers a second`);
  t.ok(perSecond < 8.1, `${perSecond} transfers a second`);
  t.equal(reader.counts.missedWindows, 0);
});

t.test('a late poll misses windows: they are counted, and not covered', async (t) => {
  const { clock, chip, reader } = await watched();
  for (let second = 0; second < 60; second += 1) await clock.advance(1000);
  reader.take();
  clock.sleepThrough(10 * WINDOW_MS);
  await clock.advance(0);
  const missed = reader.counts.missedWindows!;
  t.ok(missed === 9 || missed === 8, `${missed} of the 10 windows that ended meanwhile`);
  const { counted } = reader.take();
  t.ok(counted!.seconds < 1.15 * (WINDOW_MS / 1000), `${counted!.seconds} s`);
  await clock.advance(5 * WINDOW_MS);
  t.equal(reader.counts.missedWindows, missed, 'none after it');
  t.ok(chip.windowsEnded > 80);
});

t.test('one saturated window makes the report saturated, without a value, and is not counted as energy', async (t) => {
  const { clock, chip, reader } = await watched();
  await clock.advance(WINDOW_MS);
  chip.load = { busVolts: 5, shuntVolts: 0.2 };
  await clock.advance(WINDOW_MS);
  chip.load = FIVE_WATTS;
  await clock.advance(WINDOW_MS + 500);
  const reading = reader.take();
  t.match(reading, { saturated: true });
  t.notOk('powerWatts' in reading);
  t.ok(Math.abs(reading.counted!.joules - (2 * 5 * WINDOW_MS) / 1000) < 0.05, 'the two good ones');
  t.match(reader.counts, { saturatedWindows: 1 });
  await clock.advance(1000);
  t.match(reader.take(), { powerWatts: Number }, 'and it is over when it is over');
});

t.test('a window that the chip marks as overflowed is counted and not used', async (t) => {
  const { clock, chip, reader } = await watched();
  await clock.advance(900);
  reader.take();
  chip.beforeTransfer = (register) => {
    if (register === Register.mask) chip.set(Register.mask, chip.get(Register.mask) | 0x0004);
  };
  await clock.advance(2100);
  const reading = reader.take();
  t.match(reading, { absent: /overflowed/ });
  t.equal(reading.counted?.joules, 0);
  t.equal(reader.counts.overflowedWindows, 2, 'ended at 1647 and 2470 ms');
});

t.test('a chip that lost its supply is set up again and counted; that report has no value, the next has', async (t) => {
  for (const lose of [
    (chip: FakeIna226) => chip.powerOn(),
    (chip: FakeIna226) => chip.set(Register.calibration, 0),
    (chip: FakeIna226) => chip.set(Register.configuration, 0x4127),
  ]) {
    const { clock, chip, reader } = await watched();
    await clock.advance(3000);
    reader.take();
    lose(chip);
    await clock.advance(2000);
    const reading = reader.take();
    t.match(reading, { absent: /lost its settings/ });
    t.match(reader.counts, { resets: 1 });
    t.equal(chip.get(Register.configuration), AVERAGING.configuration);
    await clock.advance(1500);
    t.match(reader.take(), { powerWatts: 5 });
  }
});

t.test('a chip that is switched off, and so ends no window, is found and set up again', async (t) => {
  const { clock, chip, reader } = await watched();
  await clock.advance(3000);
  reader.take();
  chip.set(Register.configuration, 0x4b28);
  chip.beforeTransfer = (register) => {
    if (register === Register.mask && chip.get(Register.configuration) === 0x4b28) chip.set(Register.mask, 0);
  };
  await clock.advance(4000);
  t.match(reader.take(), { absent: /lost its settings/ });
  t.equal(chip.get(Register.configuration), AVERAGING.configuration);
});

t.test('a chip that never says that a window is over has no value, and says so', async (t) => {
  const { clock, chip, reader } = await watched();
  chip.beforeTransfer = (register) => {
    if (register === Register.mask) chip.set(Register.mask, 0);
  };
  await clock.advance(1000);
  t.match(reader.take(), { absent: /first averaging window/ });
  await clock.advance(9000);
  t.match(reader.take(), { absent: 'the chip has ended no averaging window for 10.0 s' });
});

t.test('a value is repeated for a poll that comes late, and not for longer', async (t) => {
  const { clock, chip, reader } = await watched();
  await clock.advance(3000);
  t.match(reader.take(), { powerWatts: 5 });
  chip.beforeTransfer = (register) => {
    if (register === Register.mask) chip.set(Register.mask, 0);
  };
  await clock.advance(500);
  const repeated = reader.take();
  t.match(repeated, { powerWatts: 5, counted: { joules: 0, seconds: 0 } }, 'and counts nothing again');
  await clock.advance(1000);
  t.match(reader.take(), { absent: /has ended no averaging window for/ });
});

t.test('a chip whose flag is stuck is read at each poll, and covers no more time than passes', async (t) => {
  const { clock, chip, reader } = await watched();
  chip.beforeTransfer = (register) => {
    if (register === Register.mask) chip.set(Register.mask, 0x0008);
  };
  let seconds = 0;
  for (let second = 0; second < 100; second += 1) {
    await clock.advance(1000);
    const reading = reader.take();
    if (second > 1) t.match(reading, { powerWatts: 5 }) || t.bailout();
    seconds += reading.counted!.seconds;
  }
  t.ok(seconds > 98 && seconds <= 100, `${seconds} s of 100`);
});

t.test(
  'a failed transfer is told once taken, ends the polling, and a start goes on without a made-up joule',
  async (t) => {
    const { clock, chip, reader } = await watched();
    await clock.advance(10_000);
    reader.take();
    chip.failWithErrno = 121;
    await clock.advance(60_000);
    t.throws(() => reader.take(), { code: 'SENSOR_UNREADABLE', message: /no chip answers/ });
    t.equal(clock.waitingTimers, 0);
    await t.rejects(reader.start(), { message: /no chip answers/ });
    chip.failWithErrno = undefined;
    await reader.start();
    await clock.advance(10_000);
    const { counted } = reader.take();
    t.ok(counted!.seconds > 8 && counted!.seconds <= 10, `${counted!.seconds} s`);
    t.equal(reader.counts.missedWindows, 0, 'an outage is no late poll');
  },
);

t.test('a bus that hangs is said, delays nobody who takes a reading, and is not asked twice', async (t) => {
  const { clock, chip, reader } = await watched();
  await clock.advance(3000);
  reader.take();
  let release = () => {};
  const hung = new Promise<void>((resolve) => {
    release = resolve;
  });
  chip.beforeTransfer = () => hung;
  const { transfers } = chip;
  await clock.advance(10_000);
  t.match(reader.take(), { absent: 'an earlier transfer has not ended' });
  t.equal(chip.transfers, transfers + 1);
  chip.beforeTransfer = undefined;
  release();
  await clock.advance(2000);
  t.match(reader.take(), { powerWatts: 5 });
  t.ok(reader.counts.missedWindows! >= 10, `${reader.counts.missedWindows} windows ended meanwhile`);
});

t.test('a second start disturbs nothing, a stop ends all', async (t) => {
  const { clock, chip, reader, device } = await watched();
  await clock.advance(3000);
  const { setUps } = device;
  await reader.start();
  t.equal(device.setUps, setUps);
  await clock.advance(1000);
  t.match(reader.take(), { powerWatts: 5 });
  reader.stop();
  const { transfers } = chip;
  await clock.advance(5000);
  t.equal(chip.transfers, transfers);
  t.equal(clock.waitingTimers, 0);
});

t.test('what was read before an outage is energy, and never shown as the reading after it', async (t) => {
  const { clock, chip, reader } = await watched();
  await clock.advance(2 * WINDOW_MS);
  reader.take();
  await clock.advance(WINDOW_MS + 500);
  chip.beforeTransfer = () => {
    throw new Error('the wire is off');
  };
  await clock.advance(1000);
  t.throws(() => reader.take(), /the wire is off/);
  await clock.advance(60_000);
  chip.beforeTransfer = () => {};
  chip.load = TEN_WATTS;
  await reader.start();
  const reading = reader.take();
  t.match(reading, { absent: /first averaging window/ }, JSON.stringify(reading));
  t.ok(reading.counted!.joules > 4, 'the window before is counted');
  await clock.advance(2000);
  t.ok('powerWatts' in reader.take());
  await clock.advance(2000);
  t.match(reader.take(), { powerWatts: 10 });
});
