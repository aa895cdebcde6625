import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { runEricht } from '../helpers/run-ericht.ts';

/** A working folder with a board of this model under sys/, and these rails configured. */
function board(t: Test, model: string, rails: string): string {
  const folder = t.testdir({ 'ericht.yaml': `rails:\n${rails}`, dev: {}, proc: {} });
  const tree = join(folder, 'sys/firmware/devicetree/base');
  mkdirSync(tree, { recursive: true });
  writeFileSync(join(tree, 'model'), `${model}\0`);
  return folder;
}

const ROOTS = ['--path.sysfs', 'sys', '--path.dev', 'dev'];
const R100 = '  - label: main\n    bus: 1\n    address: 0x40\n    shuntOhms: 0.1\n';

t.test('no agent starts with a shunt that its board drives to full scale', async (t) => {
  const folder = board(t, 'Raspberry Pi 5 Model B Rev 1.0', R100);
  for (const verb of [
    ['agent', '--once'],
    ['agent', '--transport', 'kafka', '--kafka.brokers', '127.0.0.1:1'],
    ['start', '--port', '0', '--for', '1s'],
  ]) {
    const { code, stderr } = await runEricht(t, [...verb, ...ROOTS], { folder });
    t.equal(code, 2, verb.join(' '));
    t.equal(
      stderr,
      'ericht: ericht.yaml:5: rail main: a shunt of 0.1 ohm is at full scale at 0.82 A (81.92 mV / 0.1 ohm), which is ' +
        '4.1 W at 5 V; a Raspberry Pi 5 draws up to 27 W (5.4 A). Take 0.015 ohm or less, or set maxAmperes.\n',
    );
  }
});

t.test('maxAmperes, another board or a smaller shunt is a way out', async (t) => {
  for (const [model, rails] of [
    ['Raspberry Pi 5 Model B Rev 1.0', `${R100}    maxAmperes: 0.8\n`],
    ['Raspberry Pi 5 Model B Rev 1.0', R100.replace('0.1', '0.015')],
    ['Some Board', R100],
  ] as const) {
    const { code, stderr } = await runEricht(t, ['agent', '--once', ...ROOTS], { folder: board(t, model, rails) });
    t.equal(code, 0, `${model}: ${rails}\n${stderr}`);
  }
});

t.test('a chip that the kernel knows as INA219 is judged by its own full scale', async (t) => {
  const folder = board(t, 'Raspberry Pi 5 Model B Rev 1.0', R100.replace('0.1', '0.05'));
  const chip = join(folder, 'sys/class/hwmon/hwmon0');
  mkdirSync(join(folder, 'sys/devices/1-0040'), { recursive: true });
  mkdirSync(chip, { recursive: true });
  writeFileSync(join(chip, 'name'), 'ina219\n');
  symlinkSync('../../../devices/1-0040', join(chip, 'device'));
  const { code, stderr } = await runEricht(t, ['agent', '--once', ...ROOTS], { folder });
  t.equal(code, 0, stderr);
});

t.test('several rails are told at once', async (t) => {
  const rails = `${R100}  - label: fan\n    measures: switch\n    bus: 1\n    address: 0x41\n    shuntOhms: 0.1\n    maxAmperes: 2\n`;
  const { code, stderr } = await runEricht(t, ['agent', '--once', ...ROOTS], {
    folder: board(t, 'Orange Pi 5', rails),
  });
  t.equal(code, 2);
  t.match(
    stderr,
    /^ericht: 2 things in the configuration are wrong: \n {2}ericht.yaml:5: rail main: .*\n {2}ericht.yaml:10: rail fan: /,
  );
});
