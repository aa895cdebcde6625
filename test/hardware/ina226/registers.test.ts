import t from 'tap';
import { decodeReading, isIna226, toSigned } from '../../../hardware/ina226/registers.ts';

const near = (actual: number, expected: number, tolerance: number) => Math.abs(actual - expected) <= tolerance;

t.test('volts, amperes and watts follow from the registers and the shunt', async (t) => {
  // 12 V and 1.2 A over 10 mΩ: shunt 12 mV = 4800 steps, bus 9600 steps, power 4800 × 9600 / 20000 = 2304 steps.
  const reading = decodeReading({ shunt: 4800, bus: 9600, power: 2304 }, 0.01);
  if ('saturated' in reading) return t.fail('not saturated');
  t.ok(near(reading.busVolts, 12, 1e-9));
  t.ok(near(reading.currentAmperes, 1.2, 1e-9));
  t.ok(near(reading.powerWatts, 14.4, 1e-9));
});

t.test('a shunt with a value that no integer current step fits is scaled exactly', async (t) => {
  const reading = decodeReading({ shunt: 1000, bus: 4000, power: 200 }, 0.33);
  if ('saturated' in reading) return t.fail('not saturated');
  t.ok(near(reading.currentAmperes, 2.5e-3 / 0.33, 1e-12));
  t.ok(near(reading.powerWatts, reading.currentAmperes * reading.busVolts, 1e-9));
});

t.test('power takes the sign of the current, and zero has none', async (t) => {
  const backwards = decodeReading({ shunt: 0x10000 - 4800, bus: 9600, power: 2304 }, 0.01);
  t.match(backwards, { currentAmperes: -1.2, powerWatts: -14.4 });
  t.same(decodeReading({ shunt: 0, bus: 0, power: 0 }, 0.01), { busVolts: 0, currentAmperes: 0, powerWatts: 0 });
  t.ok(Object.is((decodeReading({ shunt: 0xffff, bus: 1, power: 0 }, 0.01) as { powerWatts: number }).powerWatts, 0));
});

t.test('a converter at either end gives no number, one step before it does', async (t) => {
  t.same(decodeReading({ shunt: 0x7fff, bus: 4000, power: 6553 }, 0.1), { saturated: true });
  t.same(decodeReading({ shunt: 0x8000, bus: 4000, power: 6553 }, 0.1), { saturated: true });
  t.same(decodeReading({ shunt: 100, bus: 0x7fff, power: 0 }, 0.1), { saturated: true });
  t.match(decodeReading({ shunt: 0x7ffe, bus: 4000, power: 6553 }, 0.1), { busVolts: 5 });
  t.match(decodeReading({ shunt: 0x8001, bus: 4000, power: 6553 }, 0.1), { busVolts: 5 });
});

t.test('signed words wrap at 8000h', async (t) => {
  t.same([0, 1, 0x7fff, 0x8000, 0xffff].map(toSigned), [0, 1, 32767, -32768, -1]);
});

t.test('only an INA226 of any revision is taken for one', async (t) => {
  t.ok(isIna226(0x5449, 0x2260));
  t.ok(isIna226(0x5449, 0x226f));
  t.notOk(isIna226(0x5449, 0x2270), 'INA233 and others');
  t.notOk(isIna226(0x4954, 0x2260), 'swapped bytes');
  t.notOk(isIna226(0xffff, 0xffff), 'a bus held high');
});
