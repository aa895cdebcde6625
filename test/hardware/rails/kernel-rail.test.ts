import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { KernelRail, type KernelRailOptions } from '../../../hardware/rails/kernel-rail.ts';
import { type IioChip, iioChip } from '../../helpers/iio-chip.ts';

function iioRail(t: Test, chip: Partial<IioChip> = {}, options: Partial<KernelRailOptions> = {}) {
  const sysfs = t.testdir({});
  const directory = iioChip(sysfs, { device: '1-0040', ...chip });
  const rail = new KernelRail({
    way: 'iio',
    label: 'board',
    measures: 'board',
    sysfs,
    device: '1-0040',
    intervalMs: 1000,
    ...options,
  });
  const set = (file: string, value: number | string) => writeFileSync(join(directory, file), `${value}\n`);
  const get = (file: string) => readFileSync(join(directory, file), 'utf8').trim();
  return { rail, set, get };
}

function hwmonRail(t: Test, files: Record<string, string>, options: Partial<KernelRailOptions> = {}) {
  const sysfs = t.testdir({
    devices: { '1-0040': {} },
    class: {
      hwmon: { hwmon0: { name: 'ina226\n', device: t.fixture('symlink', '../../../devices/1-0040'), ...files } },
    },
  });
  const rail = new KernelRail({
    way: 'hwmon',
    label: 'board',
    measures: 'board',
    sysfs,
    device: '1-0040',
    intervalMs: 1000,
    ...options,
  });
  const directory = join(sysfs, 'class/hwmon/hwmon0');
  const set = (file: string, value: number) => writeFileSync(join(directory, file), `${value}\n`);
  return { rail, set, interval: () => readFileSync(join(directory, 'update_interval'), 'utf8') };
}

const near = (actual: number, expected: number) => Math.abs(actual - expected) < 1e-9;

t.test("IIO's raw values and scales give volts, amperes and watts, with the sign of the shunt", async (t) => {
  const { rail, set } = iioRail(t);
  t.match(await rail.find(), {
    found: true,
    detail: "ina226 1-0040 through the kernel's IIO, shunt 0.01 ohms, averaged over 8.8 ms",
  });
  t.match(rail, { source: 'iio', location: 'iio device 1-0040', shuntOhms: 0.01, counts: { resets: 0 } });
  const reading = await rail.read();
  if (!('powerWatts' in reading)) return t.fail(JSON.stringify(reading));
  t.ok(near(reading.busVolts, 5.1) && near(reading.currentAmperes, 1.2) && near(reading.powerWatts, 6.11875));
  set('in_voltage0_raw', -4800);
  const back = await rail.read();
  t.ok('powerWatts' in back && near(back.currentAmperes, -1.2) && near(back.powerWatts, -6.11875), 'and backwards');
  set('in_voltage0_raw', 0);
  set('in_power2_raw', 0);
  t.match(await rail.read(), { currentAmperes: 0, powerWatts: 0 });
});

t.test(
  "the configured shunt corrects what the driver assumed, in ohms and in an older driver's microohms",
  async (t) => {
    for (const [shunt, powerScale, powerRaw] of [
      ['0.010000000', '6.250000000', 979],
      // The older driver: 1 mA and 25 mW a step.
      ['10000', '25.000000000', 245],
    ] as const) {
      const { rail } = iioRail(t, { shunt, powerScale, raw: [4800, 4080, powerRaw] }, { shuntOhms: 0.02 });
      t.match(await rail.find(), { detail: /shunt 0.01 ohms there, corrected to the configured 0.02/ });
      const reading = await rail.read();
      t.ok('powerWatts' in reading && near(reading.currentAmperes, 0.6), shunt);
      t.ok('powerWatts' in reading && Math.abs(reading.powerWatts - 3.06) < 0.0125, 'to a step of power');
      t.equal(rail.shuntOhms, 0.02);
    }
  },
);

t.test('either end of the converter is saturated, one step before it is a number', async (t) => {
  const { rail, set } = iioRail(t);
  await rail.find();
  for (const raw of [32_767, -32_768]) {
    set('in_voltage0_raw', raw);
    t.same(await rail.read(), { saturated: true }, String(raw));
  }
  for (const raw of [32_766, -32_767]) {
    set('in_voltage0_raw', raw);
    t.match(await rail.read(), { powerWatts: Number }, String(raw));
  }
  set('in_voltage1_raw', 32_767);
  t.same(await rail.read(), { saturated: true }, 'the bus, too');
});

t.test('a chip that lost its calibration has no number: its power stays 0, and the driver never looks', async (t) => {
  const { rail, set } = iioRail(t);
  await rail.find();
  set('in_power2_raw', 0);
  t.match(await rail.read(), { absent: /1-0040 lost its settings.*unbind and bind/ });
  t.match(await rail.read(), { absent: /lost its settings/ });
  t.same(rail.counts, { resets: 1 }, 'one loss, however long it lasts');
  set('in_power2_raw', 979);
  t.match(await rail.read(), { powerWatts: Number });
  set('in_voltage0_raw', 3);
  set('in_power2_raw', 0);
  t.match(await rail.read(), { powerWatts: 0 }, 'so little flows that 0 is right');
});

t.test('a driver that goes away is said, and looked for again', async (t) => {
  const { rail, set } = iioRail(t);
  await t.rejects(rail.read(), { code: 'SENSOR_UNREADABLE', message: /no such power chip/ });
  await rail.find();
  set('in_voltage0_raw', '');
  await t.rejects(rail.read(), { code: 'SENSOR_UNREADABLE', message: /gives no in_voltage0_raw/ });
});

t.test('the averaging is lengthened to fit the interval, where the kernel lets us', async (t) => {
  const isKernels = async () => true;
  for (const [intervalMs, ratio, words] of [
    [1000, '256', '563 ms'],
    [10_000, '1024', '2250 ms'],
    [100, '16', '35.2 ms'],
  ] as const) {
    const { rail, get } = iioRail(t, {}, { intervalMs, isKernels });
    t.match(await rail.find(), { detail: new RegExp(`, averaged over ${words}$`) });
    t.equal(get('in_oversampling_ratio'), ratio);
  }
  const hwmon = hwmonRail(t, { shunt_resistor: '10000\n', update_interval: '35\n' }, { isKernels });
  t.match(await hwmon.rail.find(), { detail: /, shunt 0.01 ohms, averaged over 563 ms$/ });
  t.equal(hwmon.interval().trim(), '563');
});

t.test('a longer averaging is left as it is, and nothing is ever written into a recorded tree', async (t) => {
  const isKernels = async () => true;
  const longer = hwmonRail(t, { shunt_resistor: '10000\n', update_interval: '2253\n' }, { isKernels });
  t.match(await longer.rail.find(), { detail: /averaged over 2250 ms$/ });
  t.equal(longer.interval(), '2253\n');
  const recorded = hwmonRail(t, { shunt_resistor: '10000\n', update_interval: '35\n' });
  t.match(await recorded.rail.find(), { detail: /averaged over 35 ms$/ });
  t.equal(recorded.interval(), '35\n');
  const denied = hwmonRail(
    t,
    { shunt_resistor: '10000\n', update_interval: '35\n' },
    { isKernels: () => Promise.reject(Object.assign(new Error('denied'), { code: 'EACCES' })) },
  );
  t.match(await denied.rail.find(), { found: true, detail: /averaged over 35 ms$/ });
});

t.test(
  'a chip that the driver has just set up again shows zeros, which are no number until they come again',
  async (t) => {
    const { rail, set } = hwmonRail(t, {
      shunt_resistor: '10000\n',
      curr1_input: '871\n',
      power1_input: '4440000\n',
      in1_input: '5098\n',
    });
    await rail.find();
    t.match(await rail.read(), { powerWatts: 4.44 });
    for (const file of ['curr1_input', 'power1_input', 'in1_input']) set(file, 0);
    t.match(await rail.read(), { absent: /shows nothing: it was reset, or its rail was cut/ });
    t.same(await rail.read(), { busVolts: 0, currentAmperes: 0, powerWatts: 0 }, 'a rail that was cut stays so');
    set('in1_input', 5098);
    t.match(await rail.read(), { busVolts: 5.098, powerWatts: 0 }, 'an unloaded one has volts');
    set('in1_input', 0);
    t.match(await rail.read(), { absent: /shows nothing/ });
  },
);

t.test("hwmon's bus at the converter's end is saturated, too", async (t) => {
  const files = { shunt_resistor: '10000\n', in1_input: '40958\n', curr1_input: '900\n', power1_input: '36000000\n' };
  const { rail, set } = hwmonRail(t, files);
  await rail.find();
  t.same(await rail.read(), { saturated: true });
  set('in1_input', 40_956);
  t.match(await rail.read(), { busVolts: 40.956 });
});
