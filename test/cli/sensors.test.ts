import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { iioChip } from '../helpers/iio-chip.ts';
import { runEricht } from '../helpers/run-ericht.ts';

const BOARDS = join(import.meta.dirname, '../fixtures/boards');
const ROOTS = ['--path.sysfs', 'sys', '--path.dev', 'dev'];

/** A Raspberry Pi 4 whose kernel serves an INA226 at 0x40 of bus 1, with this rail configured. */
function raspberryPi(t: Test, rail: string): string {
  const folder = t.testdir({ dev: {}, 'ericht.yaml': `rails:\n${rail}` });
  cpSync(join(BOARDS, 'rpi4/sys'), join(folder, 'sys'), { recursive: true, verbatimSymlinks: true });
  return folder;
}

const rail = (shuntOhms: number, address = '0x40') =>
  `  - label: main\n    bus: 1\n    address: ${address}\n    shuntOhms: ${shuntOhms}\n`;

t.test('on a fresh board it says what to switch on, and that is no error', async (t) => {
  const folder = t.testdir({ dev: {}, sys: {} });
  const tree = join(folder, 'sys/firmware/devicetree/base');
  mkdirSync(tree, { recursive: true });
  writeFileSync(join(tree, 'model'), 'Orange Pi 5 Plus\0');
  const { code, stdout, stderr } = await runEricht(t, ['sensors', 'scan', ...ROOTS], { folder });
  t.equal(stderr, '');
  t.equal(code, 0);
  t.match(stdout, /^Board: Orange Pi 5 Plus \(orange-pi-5-plus\)\n\nThere is no I2C bus here.\nSwitch it on/);
  t.match(stdout, 'put "overlays=i2c2-m0" into /boot/orangepiEnv.txt, then restart the board');
});

t.test('a rail that the kernel serves is found; the answer is also JSON', async (t) => {
  const folder = raspberryPi(t, rail(0.01));
  const { code, stdout } = await runEricht(t, ['sensors', 'scan', ...ROOTS, '-o', 'json'], { folder });
  t.equal(code, 0);
  t.match(JSON.parse(stdout), {
    board: { profile: 'raspberry-pi-4' },
    buses: [{ bus: 1, chips: [{ address: 64, state: 'claimed', rail: 'main' }, { address: 65 }] }],
    rails: [{ label: 'main', found: true, detail: 'ina226 through the kernel (hwmon)' }],
  });
});

t.test('a rail without its chip gives exit code 3, one with too large a shunt 2; both after the list', async (t) => {
  const missing = await runEricht(t, ['sensors', 'scan', ...ROOTS], { folder: raspberryPi(t, rail(0.01, '0x4a')) });
  t.equal(missing.code, 3);
  t.match(missing.stdout, /Rail main can't be read: dev\/i2c-1 can't be read: there is no such file/);
  const large = await runEricht(t, ['sensors', 'scan', ...ROOTS], { folder: raspberryPi(t, rail(0.1)) });
  t.equal(large.code, 2);
  t.match(large.stdout, /0x40 {2}claimed by a kernel driver, read through hwmon as ina226, rail main/);
  t.match(
    large.stderr,
    /rail main: a shunt of 0.1 ohm .* a Raspberry Pi 4 draws up to 15 W \(3 A\). Take 0.027 ohm or less/,
  );
});

t.test('calibrate works through the driver and prints the line', async (t) => {
  // The recorded driver tells 871 mA over its 10 mΩ: 8.71 mV.
  const folder = raspberryPi(t, rail(0.012));
  const args = ['sensors', 'calibrate', 'main', '--known-amperes', '0.850', '--interval', '100ms', ...ROOTS];
  const text = await runEricht(t, args, { folder });
  t.equal(text.code, 0, text.stderr);
  t.equal(text.stderr, 'Reading main for 2 s ...\n');
  t.equal(
    text.stdout,
    'Mean of 10 readings: 8.710 mV across the shunt, spread 0.00 %.\n' +
      '8.710 mV / 0.85 A = 0.01025 ohm, within 0.27 %, -14.58 % against 0.012.\n\n' +
      'Write this at rail main in ericht.yaml:\n\n    shuntOhms: 0.01025\n',
  );
  const json = await runEricht(t, [...args, '-o', 'json'], { folder });
  t.match(JSON.parse(json.stdout), {
    rail: 'main',
    source: 'hwmon',
    shuntOhms: 0.01025,
    configuredOhms: 0.012,
    readings: 10,
    // The driver's milliampere is one over its own 10 mΩ: half of 10 µV, the chip's offset, and its gain.
    uncertaintyRatio: 0.00272,
  });
});

t.test("calibrate works through the kernel's IIO, which is exact to one step of the chip", async (t) => {
  const folder = t.testdir({ dev: {}, sys: {}, 'ericht.yaml': `rails:\n${rail(0.012)}` });
  // 4900 steps of 2.5 µV.
  iioChip(join(folder, 'sys'), { device: '1-0040', raw: [4900, 4080, 1000] });
  const scan = await runEricht(t, ['sensors', 'scan', ...ROOTS], { folder });
  t.match(scan.stdout, 'read through iio as ina226, rail main');
  t.equal(scan.code, 0);
  const args = ['sensors', 'calibrate', 'main', '--known-amperes', '1', '--interval', '100ms', ...ROOTS, '-o', 'json'];
  const { code, stdout, stderr } = await runEricht(t, args, { folder });
  t.equal(code, 0, stderr);
  t.match(JSON.parse(stdout), { source: 'iio', shuntOhms: 0.01225, shuntVolts: 0.01225 });
});

t.test('calibrate refuses what can not be, with exit code 2', async (t) => {
  const folder = raspberryPi(t, rail(0.01));
  const calibrate = (...args: string[]) =>
    runEricht(t, ['sensors', 'calibrate', ...args, '--interval', '100ms', ...ROOTS], { folder });
  for (const [args, message] of [
    [['main', '--known-amperes', '5'], /this is a module marked R002/i],
    [['main', '--known-amperes', '0'], /--known-amperes is not a current: "0"/],
    [['main', '--known-amperes', '1e9'], /Write amperes above 0 and up to 1000/],
    [['man', '--known-amperes', '1'], /no rail "man" is configured. The nearest one is main/],
    [['main'], /needs --known-amperes/],
    [['--known-amperes', '1'], /needs the label of a rail/],
  ] as const) {
    const { code, stdout, stderr } = await calibrate(...args);
    t.equal(code, 2, args.join(' '));
    t.match(stderr, message);
    t.equal(stdout, '');
  }
});

t.test('a rail that can not be read gives exit code 3', async (t) => {
  const folder = raspberryPi(t, rail(0.01, '0x4a'));
  const args = ['sensors', 'calibrate', 'main', '--known-amperes', '1', ...ROOTS];
  const { code, stderr } = await runEricht(t, args, { folder });
  t.equal(code, 3);
  t.match(stderr, /cannot read rail main: there is no dev\/i2c-1/);
});

t.test('a word that is none is refused with the nearest one', async (t) => {
  const folder = t.testdir();
  for (const [args, message] of [
    [['sensors'], 'scan, or calibrate RAIL'],
    [['sensors', 'scna'], 'The nearest it can is "ericht sensors scan"'],
    [['sensors', 'scan', 'main'], 'does not take "main"'],
    [['sensors', 'scan', '--known-amperes', '1'], 'belongs to ericht sensors calibrate'],
  ] as const) {
    const { code, stderr } = await runEricht(t, [...args], { folder });
    t.equal(code, 2, args.join(' '));
    t.match(stderr, message);
  }
});
