import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { toBusError } from '../../../hardware/i2c/bus-error.ts';
import { FakeIna226 } from '../../../hardware/i2c/fake-chip.ts';
import type { I2cBus } from '../../../hardware/i2c/port.ts';
import type { RailSettings } from '../../../hardware/rail-reader.ts';
import { scanSensors } from '../../../hardware/scan/scan.ts';

/** A bus with several chips that notes who was asked for what. */
class FakeBus implements I2cBus {
  readonly asked: string[] = [];
  written = 0;
  closed = 0;
  readonly #chips: Map<number, I2cBus>;

  constructor(chips: [number, I2cBus][]) {
    this.#chips = new Map(chips);
  }

  async readWord(address: number, register: number): Promise<number> {
    this.asked.push(`${address.toString(16)}:${register.toString(16)}`);
    const chip = this.#chips.get(address);
    if (!chip) throw toBusError({ errno: 121 }, 1, address);
    return chip.readWord(address, register);
  }

  async writeWord(): Promise<void> {
    this.written += 1;
  }

  async close(): Promise<void> {
    this.closed += 1;
  }
}

const chipAt = (address: number, words: [number, number][] = []): [number, FakeIna226] => {
  const chip = new FakeIna226(address);
  for (const [register, word] of words) chip.set(register, word);
  return [address, chip];
};

const failing = (address: number, errno: number): [number, FakeIna226] => {
  const [, chip] = chipAt(address);
  chip.failWithErrno = errno;
  return [address, chip];
};

const rail = (label: string, address: number, bus = 1): RailSettings => ({
  label,
  measures: 'board',
  bus,
  address,
  shuntOhms: 0.01,
});

function machine(t: Test, buses: Record<number, string>) {
  const root = t.testdir({ dev: {}, sys: {} });
  const roots = { dev: join(root, 'dev'), sysfs: join(root, 'sys') };
  for (const [bus, name] of Object.entries(buses)) {
    writeFileSync(join(roots.dev, `i2c-${bus}`), '');
    mkdirSync(join(roots.sysfs, `class/i2c-dev/i2c-${bus}`), { recursive: true });
    writeFileSync(join(roots.sysfs, `class/i2c-dev/i2c-${bus}/name`), `${name}\n`);
  }
  return roots;
}

/** As the kernel shows a chip that a driver has: its device, with the driver behind a link. */
function claim(sysfs: string, device: string, driver: string | undefined): string {
  const directory = join(sysfs, 'devices/i2c-1', device);
  mkdirSync(directory, { recursive: true });
  mkdirSync(join(sysfs, 'bus/i2c/devices'), { recursive: true });
  symlinkSync(`../../../devices/i2c-1/${device}`, join(sysfs, 'bus/i2c/devices', device));
  if (driver === undefined) return directory;
  mkdirSync(join(sysfs, 'bus/i2c/drivers', driver), { recursive: true });
  symlinkSync(`../../../bus/i2c/drivers/${driver}`, join(directory, 'driver'));
  return directory;
}

t.test('chips are told apart by their identity, and named with their rails', async (t) => {
  const bus = new FakeBus([
    chipAt(0x40),
    chipAt(0x41),
    chipAt(0x44, [
      [0xfe, 0x5449],
      [0xff, 0x2270],
    ]),
    chipAt(0x48, [
      [0x00, 0x399f],
      [0xfe, 0],
      [0xff, 0],
    ]),
  ]);
  const scan = await scanSensors({
    ...machine(t, { 1: 'bcm2835 (i2c@7e804000)' }),
    rails: [rail('main', 0x40), rail('fan', 0x44), rail('lamp', 0x4f), rail('far', 0x40, 9)],
    openBus: () => bus,
  });
  t.equal(scan.buses.length, 1);
  t.match(scan.buses[0], { bus: 1, adapter: 'bcm2835 (i2c@7e804000)', node: /dev\/i2c-1$/ });
  t.same(
    scan.buses[0]?.chips.map(({ address, state }) => [address, state]),
    [
      [0x40, 'ina226'],
      [0x41, 'ina226'],
      [0x44, 'other'],
      [0x48, 'other'],
    ],
  );
  t.match(scan.buses[0]?.chips[2], { manufacturer: 0x5449, die: 0x2270, configuration: 0x4127 });
  t.match(scan.rails, [
    { label: 'main', found: true, detail: /^INA226 at .*i2c-1 0x40$/ },
    { label: 'fan', found: false, detail: 'the chip at this address is not an INA226' },
    { label: 'lamp', found: false, detail: 'no chip answers at this address' },
    { label: 'far', found: false, detail: 'there is no I2C bus 9' },
  ]);
  t.equal(bus.closed, 1);
});

t.test('nothing is written, no other address is touched, and FEh is asked only of what acknowledges 00h', async (t) => {
  const bus = new FakeBus([chipAt(0x41)]);
  await scanSensors({ ...machine(t, { 1: 'x' }), rails: [], openBus: () => bus });
  t.equal(bus.written, 0);
  const addresses = Array.from({ length: 16 }, (_, index) => (0x40 + index).toString(16));
  t.same([...new Set(bus.asked.map((one) => one.split(':')[0]))], addresses);
  t.same(
    bus.asked.filter((one) => !one.endsWith(':0')),
    ['41:fe', '41:ff'],
    'the reset of a humidity sensor at 0x40 is FEh',
  );
});

t.test('a chip that takes 00h and not FEh is listed, and is no INA226', async (t) => {
  const [, chip] = chipAt(0x40);
  chip.beforeTransfer = (register) => {
    if (register === 0xfe) throw toBusError({ errno: 121 }, 1, 0x40);
  };
  const scan = await scanSensors({ ...machine(t, { 1: 'x' }), rails: [], openBus: () => new FakeBus([[0x40, chip]]) });
  t.match(scan.buses[0]?.chips, [{ address: 0x40, state: 'other', configuration: 0x4127 }]);
});

t.test('a chip that a driver has is never touched, and its driver is named', async (t) => {
  const roots = machine(t, { 1: 'bcm2835' });
  const hwmon = claim(roots.sysfs, '1-0040', 'ina2xx');
  mkdirSync(join(roots.sysfs, 'class/hwmon/hwmon3'), { recursive: true });
  writeFileSync(join(roots.sysfs, 'class/hwmon/hwmon3/name'), 'ina226\n');
  symlinkSync(hwmon, join(roots.sysfs, 'class/hwmon/hwmon3/device'));
  const iio = claim(roots.sysfs, '1-0041', 'ina2xx-adc');
  mkdirSync(join(iio, 'iio:device0'));
  writeFileSync(join(iio, 'iio:device0/name'), 'ina226\n');
  mkdirSync(join(roots.sysfs, 'bus/iio/devices'), { recursive: true });
  symlinkSync(join(iio, 'iio:device0'), join(roots.sysfs, 'bus/iio/devices/iio:device0'));
  claim(roots.sysfs, '1-0042', 'fan53555');
  claim(roots.sysfs, '1-0043', undefined);
  const bus = new FakeBus([chipAt(0x40), chipAt(0x41), chipAt(0x42), chipAt(0x43)]);
  const rails = [rail('a', 0x40), rail('b', 0x41), rail('c', 0x42), rail('d', 0x43)];
  const scan = await scanSensors({ ...roots, rails, openBus: () => bus });
  t.match(scan.buses[0]?.chips, [
    { address: 0x40, state: 'claimed', claim: { driver: 'ina2xx', served: { by: 'hwmon', name: 'ina226' } } },
    { address: 0x41, state: 'claimed', claim: { driver: 'ina2xx-adc', served: { by: 'iio', name: 'ina226' } } },
    { address: 0x42, state: 'claimed', claim: { driver: 'fan53555' } },
    { address: 0x43, state: 'ina226' },
  ]);
  t.notOk(bus.asked.some((one) => /^4[012]:/.test(one)));
  t.match(scan.rails, [
    { found: true, detail: 'ina226 through the kernel (hwmon)' },
    { found: true, detail: 'ina226 through the kernel (iio)' },
    { found: false, detail: 'the driver fan53555 has the chip and offers no reading of it' },
    { found: true },
  ]);
});

t.test('a chip that the kernel refuses as busy is claimed, even where no driver is named', async (t) => {
  const bus = new FakeBus([failing(0x40, 16)]);
  const scan = await scanSensors({ ...machine(t, { 1: 'x' }), rails: [rail('a', 0x40)], openBus: () => bus });
  t.match(scan.buses[0]?.chips, [{ address: 0x40, state: 'claimed' }]);
  t.match(scan.rails, [{ found: false, detail: /has the chip and offers no reading/ }]);
});

t.test('a bus that fails as a whole is told once, not for each address', async (t) => {
  for (const [errno, why] of [
    [13, 'permission denied'],
    [110, 'the bus timed out'],
  ] as const) {
    const bus = new FakeBus([failing(0x40, errno)]);
    const scan = await scanSensors({ ...machine(t, { 1: 'x' }), rails: [rail('a', 0x41)], openBus: () => bus });
    t.match(scan.buses[0], { chips: [], problem: { why } });
    t.equal(bus.asked.length, 1, 'a stuck bus takes a second at each address');
    t.match(scan.rails, [{ found: false, detail: new RegExp(`can't be read: ${why}`) }]);
  }
  const halfway = new FakeBus([chipAt(0x40), failing(0x41, 110)]);
  const half = await scanSensors({ ...machine(t, { 1: 'x' }), rails: [rail('a', 0x40)], openBus: () => halfway });
  t.match(half.buses[0], { chips: [{ address: 0x40 }], problem: { why: 'the bus timed out' } }, 'what answered stays');
  t.match(half.rails, [{ found: true }]);
  const all = new FakeBus(Array.from({ length: 16 }, (_, index) => failing(0x40 + index, 5)));
  const scan = await scanSensors({ ...machine(t, { 1: 'x' }), rails: [], openBus: () => all });
  t.match(scan.buses[0], { chips: [], problem: { why: '16 addresses give an input/output error' } });
  const one = new FakeBus([failing(0x45, 5), chipAt(0x46)]);
  const other = await scanSensors({ ...machine(t, { 1: 'x' }), rails: [], openBus: () => one });
  t.match(other.buses[0]?.chips, [
    { address: 0x45, state: 'failed' },
    { address: 0x46, state: 'ina226' },
  ]);
});

t.test('an adapter without its device file says which module is missing', async (t) => {
  const roots = machine(t, {});
  mkdirSync(join(roots.sysfs, 'bus/i2c/devices/i2c-7'), { recursive: true });
  writeFileSync(join(roots.sysfs, 'bus/i2c/devices/i2c-7/name'), 'rk3x-i2c\n');
  const scan = await scanSensors({ ...roots, rails: [] });
  t.match(scan.buses, [{ bus: 7, adapter: 'rk3x-i2c', problem: { next: /modprobe i2c-dev/ } }]);
});

t.test('buses come in the order of their numbers; without any there is nothing', async (t) => {
  const scan = await scanSensors({
    ...machine(t, { 10: 'b', 2: 'a' }),
    rails: [],
    openBus: () => new FakeBus([]),
  });
  t.same(
    scan.buses.map(({ bus, adapter }) => [bus, adapter]),
    [
      [2, 'a'],
      [10, 'b'],
    ],
  );
  t.same(await scanSensors({ ...machine(t, {}), rails: [] }), { buses: [], rails: [] });
});

t.test("another machine's devices are not looked for on the buses of this one", async (t) => {
  const scan = await scanSensors({ ...machine(t, { 1: 'x' }), rails: [] });
  t.match(scan.buses[0], { chips: [], problem: { why: 'chips are looked for only where path.dev is /dev' } });
});
