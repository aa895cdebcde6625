import t from 'tap';
import { BOARD_PROFILES, profileOf } from '../../../hardware/profiles.ts';
import type { RailSettings } from '../../../hardware/rail-reader.ts';
import { fullScaleAmperes, fullScaleProblem, largestShuntOhms } from '../../../hardware/rails/full-scale.ts';

const PI_5 = profileOf('Raspberry Pi 5 Model B Rev 1.0');
const UNKNOWN = profileOf(undefined);

const rail = (more: Partial<RailSettings> = {}): RailSettings => ({
  label: 'main',
  measures: 'board',
  bus: 1,
  address: 0x40,
  shuntOhms: 0.1,
  ...more,
});

t.test('a shunt that is at full scale before the board is refused with its arithmetic', async (t) => {
  t.same(fullScaleProblem(rail(), PI_5), {
    label: 'main',
    what:
      'rail main: a shunt of 0.1 ohm is at full scale at 0.82 A (81.92 mV / 0.1 ohm), which is 4.1 W at 5 V; ' +
      'a Raspberry Pi 5 draws up to 27 W (5.4 A)',
    next: 'take 0.015 ohm or less, or set maxAmperes',
  });
  t.match(
    fullScaleProblem(rail(), profileOf('Orange Pi 5 Plus'))?.what,
    /; an Orange Pi 5 Plus draws up to 20 W \(4 A\)/,
  );
});

t.test('the shunt that is recommended is taken, and one a little larger is not', async (t) => {
  for (const profile of BOARD_PROFILES) {
    if (profile.maxWatts === undefined) continue;
    const largest = largestShuntOhms(profile.maxWatts / profile.supplyVolts);
    t.equal(fullScaleProblem(rail({ shuntOhms: largest }), profile), undefined, `${profile.id}: ${largest} ohm`);
    t.ok(fullScaleProblem(rail({ shuntOhms: largest * 1.1 }), profile), profile.id);
    t.ok(fullScaleProblem(rail({ shuntOhms: 0.1 }), profile), 'an R100 module is too little for every known board');
    t.equal(fullScaleProblem(rail({ shuntOhms: 0.01 }), profile), undefined, 'an R010 module is enough for each');
  }
});

t.test('maxAmperes speaks for the load in either direction', async (t) => {
  t.equal(fullScaleProblem(rail({ maxAmperes: 0.8 }), PI_5), undefined);
  t.match(fullScaleProblem(rail({ maxAmperes: 3, shuntOhms: 0.03 }), UNKNOWN), {
    what: 'rail main: a shunt of 0.03 ohm is at full scale at 2.73 A (81.92 mV / 0.03 ohm); its maxAmperes is 3 A',
    next: 'take 0.027 ohm or less, or lower maxAmperes',
  });
});

t.test('where nothing is known of the load nothing is refused', async (t) => {
  t.equal(fullScaleProblem(rail(), UNKNOWN), undefined, 'an unknown board');
  for (const measures of ['switch', 'lights', 'inlet'] as const) {
    t.equal(fullScaleProblem(rail({ measures }), PI_5), undefined, measures);
    t.ok(fullScaleProblem(rail({ measures, maxAmperes: 1 }), PI_5), `${measures} with maxAmperes`);
  }
});

t.test('a chip with another full scale is judged by its own', async (t) => {
  t.equal(fullScaleProblem(rail({ shuntOhms: 0.05 }), PI_5, 0.32), undefined, 'an INA219 takes 320 mV: 6.4 A');
  t.match(fullScaleProblem(rail(), PI_5, 0.32)?.what, /full scale at 3.20 A \(320.00 mV/);
});

t.test('full scale of the common modules', async (t) => {
  for (const [ohms, amperes] of [
    [0.1, 0.819],
    [0.01, 8.19],
    [0.002, 40.96],
  ] as const) {
    t.ok(Math.abs(fullScaleAmperes(ohms) - amperes) < 0.005 * amperes, `${ohms} ohm`);
  }
});
