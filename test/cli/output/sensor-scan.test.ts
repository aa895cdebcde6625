import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { scanDocument, scanText } from '../../../cli/output/sensor-scan.ts';
import { loadSettings } from '../../../cli/settings.ts';
import { BOARD_PROFILES, profileOf } from '../../../hardware/profiles.ts';
import type { ScannedChip } from '../../../hardware/scan/chips.ts';
import type { ScannedRail, SensorScan } from '../../../hardware/scan/scan.ts';

const MODEL = 'Raspberry Pi 4 Model B Rev 1.5';

const page = (chips: ScannedChip[], rails: ScannedRail[] = []) => {
  const scan: SensorScan = { buses: [{ bus: 1, node: '/dev/i2c-1', adapter: 'bcm2835', chips }], rails };
  return { model: MODEL, profile: profileOf(MODEL), scan };
};

const MAIN: ScannedRail = { label: 'main', bus: 1, address: 0x40, found: true, detail: 'here' };

t.test('a page names bus, pins, chips and rails, and ends with what to write', async (t) => {
  const chips: ScannedChip[] = [
    { address: 0x40, state: 'ina226' },
    { address: 0x41, state: 'ina226' },
    { address: 0x44, state: 'other', configuration: 0x399f, manufacturer: 0, die: 0xffff },
    { address: 0x45, state: 'other', configuration: 0x4127 },
    {
      address: 0x46,
      state: 'claimed',
      claim: { bus: 1, address: 0x46, driver: 'ina2xx', served: { by: 'hwmon', name: 'ina226' } },
    },
    { address: 0x4f, state: 'failed', why: 'the bus reports an input/output error' },
  ];
  t.equal(
    scanText(page(chips, [MAIN])),
    `Board: Raspberry Pi 4 Model B Rev 1.5 (raspberry-pi-4)

/dev/i2c-1  bcm2835, pins 3 (SDA) and 5 (SCL)
  0x40  INA226, rail main
  0x41  INA226
  0x44  not an INA226: it says 0000h and FFFFh, and looks like an INA219
  0x45  not an INA226: it has no identity
  0x46  claimed by the kernel driver ina2xx, read through hwmon as ina226, a rail without an entry: ina226-1-0046
  0x4f  the bus reports an input/output error

Not configured yet. Add this under rails: in ericht.yaml and write behind shuntOhms what is printed on the shunt:
R100 is 0.1, R010 is 0.01, R002 is 0.002. Nothing tells them apart but the print.

  - label: board
    measures: board    # or switch, lights, inlet
    bus: 1
    address: 0x41
    shuntOhms:
`,
  );
});

t.test('the lines to paste are refused without a shunt, and a valid configuration with it', async (t) => {
  const chips: ScannedChip[] = [0x40, 0x41].map((address) => ({ address, state: 'ina226' }));
  const text = scanText(page(chips));
  const yaml = text.slice(text.indexOf('rails:'));
  const folder = t.testdir({});
  const configFile = join(folder, 'ericht.yaml');
  const load = () => loadSettings({ environment: { HOME: folder }, configFile, flags: {} }).config.rails;
  writeFileSync(configFile, yaml);
  t.throws(load, {
    code: 'CONFIG_INVALID',
    message: /ericht.yaml:6: rails\[0\].shuntOhms can't be null: expected a number/,
  });
  writeFileSync(configFile, yaml.replaceAll('shuntOhms:', 'shuntOhms: 0.01'));
  t.match(load(), [
    { label: 'board', measures: 'board', bus: 1, address: 0x40, shuntOhms: 0.01 },
    { label: 'rail-1-41', address: 0x41 },
  ]);
});

t.test('a chip that has its rail is not offered again', async (t) => {
  const text = scanText(page([{ address: 0x40, state: 'ina226' }], [MAIN]));
  t.notMatch(text, /Not configured/);
});

t.test('where the header has no bus, each known board says how to switch it on', async (t) => {
  for (const profile of BOARD_PROFILES) {
    const text = scanText({ model: profile.name, profile, scan: { buses: [], rails: [] } });
    t.match(text, 'There is no I2C bus here.');
    if (profile.id === 'generic') t.match(text, 'sudo modprobe i2c-dev');
    for (const { command, file, line } of profile.i2cActivation) {
      t.match(text, command ?? `put "${line}" into ${file}`, profile.id);
    }
  }
  const screens: SensorScan = { buses: [{ bus: 20, node: '/dev/i2c-20', chips: [] }], rails: [] };
  const text = scanText({ model: MODEL, profile: profileOf(MODEL), scan: screens });
  t.match(text, /nothing answers at 0x40 to 0x4f/);
  t.match(text, /The bus of pins 3 and 5, \/dev\/i2c-1, is not there\.\nSwitch it on \(Raspberry Pi 4\):/);
});

t.test('a rail whose chip is missing is told with its reason', async (t) => {
  const rail = { ...MAIN, found: false, detail: 'no chip answers at this address' };
  t.match(scanText(page([], [rail])), "Rail main can't be read: no chip answers at this address.");
});

t.test('programs get the same with numbers, and the rail of each chip', async (t) => {
  const chips: ScannedChip[] = [
    { address: 0x40, state: 'ina226', configuration: 0x4127, manufacturer: 0x5449, die: 0x2260 },
    {
      address: 0x46,
      state: 'claimed',
      claim: { bus: 1, address: 0x46, driver: 'ina2xx', served: { by: 'iio', name: 'ina226' } },
    },
    { address: 0x47, state: 'ina226' },
  ];
  t.match(scanDocument(page(chips, [MAIN])), {
    schemaVersion: 1,
    board: { model: MODEL, profile: 'raspberry-pi-4' },
    buses: [
      {
        bus: 1,
        node: '/dev/i2c-1',
        chips: [
          { address: 0x40, state: 'ina226', rail: 'main', manufacturer: 0x5449 },
          { address: 0x46, state: 'claimed', driver: 'ina2xx', served: { by: 'iio' } },
          { address: 0x47 },
        ],
      },
    ],
    rails: [{ label: 'main', found: true }],
    unconfigured: [{ label: 'board', measures: 'board', bus: 1, address: 0x47 }],
  });
});
