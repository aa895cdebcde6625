import { readFileSync } from 'node:fs';
import t from 'tap';
import { BOARD_PROFILES } from '../../hardware/profiles.ts';
import { fullScaleAmperes, largestShuntOhms } from '../../hardware/rails/full-scale.ts';

const readme = readFileSync(new URL('../../hardware/README.md', import.meta.url), 'utf8');
const rows = (start: RegExp) =>
  readme
    .split('\n')
    .filter((line) => start.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim()));

t.test('the table of shunts is what the chip gives', async (t) => {
  const shunts = rows(/^\| R\d{3} /);
  t.equal(shunts.length, 5);
  for (const [, print, ohmsText, fullScale, watts, step, offset, dropAt3, dropAt5] of shunts) {
    const ohms = Number(ohmsText);
    const most = fullScaleAmperes(ohms);
    const near = (text: string | undefined, value: number, what: string) => {
      const told = Number.parseFloat(text ?? '');
      t.ok(Math.abs(told - value) <= value * 0.01, `${print}, ${what}: ${told} for ${value}`);
    };
    near(fullScale, most, 'full scale');
    near(watts, most * 5, 'watts');
    const microamperes = 2.5 / ohms;
    near(step, step?.endsWith('mA') ? microamperes / 1000 : microamperes, 'step');
    near(offset, 0.01 / ohms, 'offset');
    for (const [amperes, text] of [
      [3, dropAt3],
      [5, dropAt5],
    ] as const) {
      if (amperes > most) t.equal(text, 'beyond', `${print} at ${amperes} A`);
      else near(text, amperes * ohms * 1000, `drop at ${amperes} A`);
    }
  }
});

t.test('what it says of the boards is what their profiles say', async (t) => {
  for (const { name, maxWatts, supplyVolts, headerI2c } of BOARD_PROFILES) {
    if (maxWatts === undefined || !headerI2c) continue;
    t.match(readme, `/dev/i2c-${headerI2c.bus}`, name);
    if (name === 'Orange Pi 5B' || name === 'Orange Pi 5 Plus') continue;
    const amperes = maxWatts / supplyVolts;
    t.match(readme, `${name} draws up to ${maxWatts} W (${amperes} A): ${largestShuntOhms(amperes)} ohm or less`);
  }
});

t.test('the table of addresses is that of the data sheet', async (t) => {
  const found = rows(/^\| \*\*/).map((cells) => cells.slice(2, 6).map(Number));
  t.same(
    found,
    [0, 1, 2, 3].map((row) => [0, 1, 2, 3].map((column) => 0x40 + 4 * row + column)),
  );
});
