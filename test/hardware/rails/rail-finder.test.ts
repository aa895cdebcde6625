import { cpSync, mkdirSync, renameSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { FakeIna226 } from '../../../hardware/i2c/fake-chip.ts';
import type { I2cBus } from '../../../hardware/i2c/port.ts';
import type { RailSettings } from '../../../hardware/rail-reader.ts';
import { RailFinder } from '../../../hardware/rails/rail-finder.ts';
import { iioChip } from '../../helpers/iio-chip.ts';
import { ManualClock } from '../../helpers/manual-clock.ts';

const clock = new ManualClock();
const BOARDS = join(import.meta.dirname, '../../fixtures/boards');

function board(t: Test, name: 'rpi4' | 'laptop') {
  const root = t.testdir({});
  cpSync(join(BOARDS, name, 'sys'), join(root, 'sys'), { recursive: true, verbatimSymlinks: true });
  mkdirSync(join(root, 'dev'));
  return { sysfs: join(root, 'sys'), dev: join(root, 'dev') };
}

/** As the kernel shows it that a driver has this device. */
function claimer(sysfs: string, device: string, driver: string): () => void {
  const directory = join(sysfs, 'bus/i2c/devices', device);
  mkdirSync(directory, { recursive: true });
  mkdirSync(join(sysfs, 'bus/i2c/drivers', driver), { recursive: true });
  return () => symlinkSync(join(sysfs, 'bus/i2c/drivers', driver), join(directory, 'driver'));
}

const settings = (more: Partial<RailSettings> = {}): RailSettings => ({
  label: 'board',
  measures: 'board',
  bus: 1,
  address: 0x40,
  shuntOhms: 0.01,
  ...more,
});

const noBus = (): I2cBus => {
  throw new Error('no bus may be opened here');
};

t.test(
  'a chip that the kernel serves is read through hwmon under its configured label, and its bus is left alone',
  async (t) => {
    const roots = board(t, 'rpi4');
    const finder = new RailFinder({ ...roots, settings: [settings()], intervalMs: 1000, clock, openBus: noBus });
    const [rail, other, ...rest] = await finder.look();
    t.match(rail, { label: 'board', source: 'hwmon', location: 'hwmon device 1-0040' });
    t.match(
      other,
      { label: 'ina226-1-0041', source: 'hwmon', measures: 'board' },
      'the unconfigured one is a rail, too',
    );
    t.equal(rest.length, 0);
    t.match(await rail!.find(), { found: true, detail: 'ina226 1-0040 through the kernel, shunt 0.01 ohms' });
    t.same(await rail!.read(), { busVolts: 5.098, currentAmperes: 0.871, powerWatts: 4.44 });
  },
);

t.test('a shunt that differs from what the kernel assumes corrects its figures', async (t) => {
  const roots = board(t, 'rpi4');
  const finder = new RailFinder({
    ...roots,
    settings: [settings({ shuntOhms: 0.02 })],
    intervalMs: 1000,
    clock,
    openBus: noBus,
  });
  const rail = (await finder.look())[0]!;
  t.match(await rail.find(), { detail: /corrected to the configured 0.02/ });
  t.same(await rail.read(), { busVolts: 5.098, currentAmperes: 0.4355, powerWatts: 2.22 });
  t.equal(rail.shuntOhms, 0.02);
});

t.test('current that flows back gives negative power, full scale gives no number', async (t) => {
  const roots = board(t, 'rpi4');
  const rail = (await new RailFinder({ ...roots, settings: [settings()], intervalMs: 1000, clock }).look())[0]!;
  await rail.find();
  const directory = join(roots.sysfs, 'class/hwmon/hwmon3');
  writeFileSync(join(directory, 'curr1_input'), '-871\n');
  t.match(await rail.read(), { currentAmperes: -0.871, powerWatts: -4.44 });
  for (const milliamperes of [8192, 8191, -8192]) {
    writeFileSync(join(directory, 'curr1_input'), `${milliamperes}\n`);
    t.same(await rail.read(), { saturated: true }, String(milliamperes));
  }
  writeFileSync(join(directory, 'curr1_input'), '8190\n');
  t.match(await rail.read(), { currentAmperes: 8.19 });
});

t.test('hwmon numbers may change: the device decides', async (t) => {
  const roots = board(t, 'rpi4');
  const rail = (await new RailFinder({ ...roots, settings: [settings()], intervalMs: 1000, clock }).look())[0]!;
  await rail.find();
  renameSync(join(roots.sysfs, 'class/hwmon/hwmon3'), join(roots.sysfs, 'class/hwmon/hwmon17'));
  await t.rejects(rail.read(), { code: 'SENSOR_UNREADABLE' });
  t.match(await rail.find(), { found: true });
  t.match(await rail.read(), { powerWatts: 4.44 });
});

t.test('looking again does not disturb a reading beside it', async (t) => {
  const roots = board(t, 'rpi4');
  const rail = (await new RailFinder({ ...roots, settings: [settings()], intervalMs: 1000, clock }).look())[0]!;
  await rail.find();
  const [, reading] = await Promise.all([rail.find(), rail.read()]);
  t.match(reading, { powerWatts: 4.44 });
});

t.test('a configured chip that no driver serves is read over its bus', async (t) => {
  const roots = board(t, 'rpi4');
  const clock = new ManualClock();
  const chip = new FakeIna226(0x45, { clock });
  chip.load = { busVolts: 5, shuntVolts: 0.01 };
  const opened: number[] = [];
  const finder = new RailFinder({
    ...roots,
    settings: [settings({ label: 'inlet', measures: 'inlet', address: 0x45 })],
    intervalMs: 1000,
    clock,
    openBus: (busNumber) => {
      opened.push(busNumber);
      return chip;
    },
  });
  const rail = (await finder.look())[0]!;
  t.match(rail, { label: 'inlet', source: 'i2c', shuntOhms: 0.01, location: /i2c-1 address 0x45$/ });
  t.match(await rail.find(), { found: false, detail: /there is no .*i2c-1. Enable I2C/ });
  t.equal(chip.transfers, 0);
  writeFileSync(join(roots.dev, 'i2c-1'), '');
  t.match(await rail.find(), { found: true, detail: /^INA226 at .*i2c-1 address 0x45, shunt 0.01 ohms$/ });
  await clock.advance(1000);
  t.match(await rail.read(), { busVolts: 5, currentAmperes: 1, powerWatts: 5 });
  t.equal((await finder.look())[0], rail, 'the same reader at the next look');
  t.same(opened, [1]);
  await finder.close();
  t.equal(clock.waitingTimers, 0, 'nothing polls after the end');
});

t.test('a chip that any driver has claimed is never touched, and the driver is named', async (t) => {
  const roots = board(t, 'rpi4');
  const clock = new ManualClock();
  const chip = new FakeIna226(0x45, { clock });
  writeFileSync(join(roots.dev, 'i2c-1'), '');
  const finder = new RailFinder({
    ...roots,
    settings: [settings({ address: 0x45 })],
    intervalMs: 1000,
    clock,
    openBus: () => chip,
  });
  const claim = claimer(roots.sysfs, '1-0045', 'somebodys-meter');
  const rail = (await finder.look())[0]!;
  claim();
  t.match(await rail.find(), {
    found: false,
    detail: /^0x45 on \/dev\/i2c-1 is claimed by the kernel driver somebodys-meter: .*never forced.*unbind/,
  });
  t.equal(chip.transfers, 0);

  unlinkSync(join(roots.sysfs, 'bus/i2c/devices/1-0045/driver'));
  t.match(await rail.find(), { found: true });
  await clock.advance(1000);
  claim();
  t.match(await rail.find(), { found: false });
  const { transfers } = chip;
  await clock.advance(10_000);
  t.equal(chip.transfers, transfers, 'the polling has ended');
});

t.test('a chip that a driver takes over while it is polled goes on through the driver', async (t) => {
  const roots = board(t, 'rpi4');
  const clock = new ManualClock();
  const chip = new FakeIna226(0x45, { clock });
  writeFileSync(join(roots.dev, 'i2c-1'), '');
  const finder = new RailFinder({
    ...roots,
    settings: [settings({ address: 0x45 })],
    intervalMs: 1000,
    clock,
    openBus: () => chip,
  });
  await (await finder.look())[0]!.find();
  await clock.advance(1000);
  iioChip(roots.sysfs, { device: '1-0045' });
  const { transfers } = chip;
  t.match((await finder.look())[0], { source: 'iio', label: 'board' });
  await clock.advance(10_000);
  t.equal(chip.transfers, transfers);
});

t.test('a laptop battery is a rail while it discharges', async (t) => {
  const roots = board(t, 'laptop');
  const rails = await new RailFinder({ ...roots, settings: [], intervalMs: 1000, clock }).look();
  t.equal(rails.length, 1, 'the battery of a mouse is none');
  const battery = rails[0]!;
  t.match(battery, { label: 'battery', measures: 'board', source: 'battery', location: 'power supply BAT0' });
  t.match(await battery.find(), { found: true, detail: 'battery BAT0, measured while it discharges' });
  t.same(await battery.read(), { busVolts: 15.2, currentAmperes: 0.625, powerWatts: 9.5 });
  const directory = join(roots.sysfs, 'class/power_supply/BAT0');
  writeFileSync(join(directory, 'power_now'), '-8000000\n');
  t.match(await battery.read(), { powerWatts: 8 }, 'its own power counts, whatever sign it has');
  writeFileSync(join(directory, 'status'), 'Charging\n');
  t.same(await battery.read(), { absent: 'charging: discharge not measured' });
  writeFileSync(join(directory, 'status'), 'Full\n');
  t.same(await battery.read(), { absent: 'on mains power: discharge not measured' });
});

t.test('where there is nothing, the reason says so, and what would help', async (t) => {
  const root = t.testdir({ dev: {}, sys: {} });
  const finder = new RailFinder({
    sysfs: join(root, 'sys'),
    dev: join(root, 'dev'),
    settings: [],
    intervalMs: 1000,
    clock,
  });
  t.same(await finder.look(), []);
  t.equal(await finder.whyNone(), 'no power source: no INA226, no I2C bus, no battery');
  writeFileSync(join(root, 'dev/i2c-1'), '');
  t.match(await finder.whyNone(), /^no INA226 is configured; I2C buses here: i2c-1/);
});

t.test('what is not as the kernel makes it takes no rail away from the others', async (t) => {
  const roots = board(t, 'rpi4');
  // A directory in place of a file, and a gauge that doesn't answer: EISDIR and, as /proc/self/mem at 0 has it, EIO.
  mkdirSync(join(roots.sysfs, 'class/hwmon/hwmon9/name'), { recursive: true });
  const gauge = join(roots.sysfs, 'class/power_supply/gauge');
  mkdirSync(gauge, { recursive: true });
  writeFileSync(join(gauge, 'type'), 'Battery\n');
  symlinkSync('/proc/self/mem', join(gauge, 'scope'));
  const rails = await new RailFinder({ ...roots, settings: [settings()], intervalMs: 1000, clock }).look();
  t.same(
    rails.map(({ label }) => label),
    ['board', 'ina226-1-0041', 'battery'],
  );
});

t.test('no two rails have one label, even if a configured one is named as the kernel names another', async (t) => {
  const roots = board(t, 'rpi4');
  const settingsOfOne = [settings({ label: 'ina226-1-0041' })];
  const finder = new RailFinder({ ...roots, settings: settingsOfOne, intervalMs: 1000, clock });
  const rails = await finder.look();
  t.same(
    rails.map(({ label, location }) => [label, location]),
    [
      ['ina226-1-0041', 'hwmon device 1-0040'],
      ['hwmon-1-0041', 'hwmon device 1-0041'],
    ],
  );
});

t.test("another machine's bus is not looked for among the ones of this machine", async (t) => {
  const roots = board(t, 'rpi4');
  writeFileSync(join(roots.dev, 'i2c-1'), '');
  const finder = new RailFinder({ ...roots, settings: [settings({ address: 0x45 })], intervalMs: 1000, clock });
  const rail = (await finder.look())[0]!;
  t.match(await rail.find(), { found: false, detail: /only where path\.dev is \/dev/ });
});
