import { type Clock, sleep } from '../lib/clock.ts';
import { ErichtError } from '../lib/errors.ts';
import { roundTo } from '../lib/round.ts';
import type { RailReader, RailReading } from './rail-reader.ts';
import { fullScaleAmperes } from './rails/full-scale.ts';

/** The resistors that modules come with, by what is printed on them. */
const MODULES: readonly { print: string; ohms: number }[] = [
  { print: 'R100', ohms: 0.1 },
  { print: 'R050', ohms: 0.05 },
  { print: 'R020', ohms: 0.02 },
  { print: 'R015', ohms: 0.015 },
  { print: 'R010', ohms: 0.01 },
  { print: 'R005', ohms: 0.005 },
  { print: 'R002', ohms: 0.002 },
  { print: 'R001', ohms: 0.001 },
];

/** A shunt that is off by more than this is another one, not an inexact one. */
const MOST_DEVIATION = 0.3;

/** A load that moves by more than this is no measure. */
const MOST_SPREAD = 0.02;

/** The chip's offset, ±10 µV at most, and its gain error of 0.1 % at most. Source: TI SBOS547B, 6.5. */
const OFFSET_VOLTS = 10e-6;
const GAIN_ERROR = 0.001;

/** Below this the offset alone may be a tenth of what is measured. */
const LEAST_SHUNT_VOLTS = 100e-6;

export interface CalibrationOptions {
  rail: RailReader;
  /** As configured: currents of the rail are scaled by it. */
  shuntOhms: number;
  /** Through the shunt, as a good meter shows it; above 0. */
  knownAmperes: number;
  /** Time between two readings. */
  intervalMs: number;
  clock: Clock;
}

export interface Calibration {
  /** The true value, to four digits. */
  shuntOhms: number;
  /** How far it may be off because of the chip and its driver, as a ratio. The meter's own error comes on top. */
  uncertaintyRatio: number;
  configuredOhms: number;
  /** Mean over the readings, across the shunt. */
  shuntVolts: number;
  /** Largest minus smallest reading, over their mean. */
  spreadRatio: number;
  readings: number;
  /** The current flows from IN− to IN+: power will be negative until the two wires change places. */
  backwards: boolean;
}

export const READINGS = 10;
/** Beside those, so many may be without values: the first averaging window takes its time. */
const MOST_EMPTY = 10;

/**
 * Reads the rail while a known current flows and works out its shunt. Throws SENSOR_UNREADABLE where it can't be read,
 * CALIBRATION_REFUSED where the readings can't be what was said.
 */
export async function calibrate(options: CalibrationOptions): Promise<Calibration> {
  const { rail, shuntOhms: configuredOhms, knownAmperes } = options;
  const volts = (await readCurrents(options)).map((amperes) => amperes * configuredOhms);
  const mean = volts.reduce((sum, one) => sum + one, 0) / volts.length;
  const size = Math.abs(mean);
  if (size < LEAST_SHUNT_VOLTS) {
    throw refused(
      `only ${millivolts(size)} mV across the shunt, so that hardly any current flows through it`,
      'check that the load is on and fed through IN+ and IN−, and take a load of an ampere or more',
    );
  }
  const spreadRatio = (Math.max(...volts) - Math.min(...volts)) / size;
  if (spreadRatio > MOST_SPREAD) {
    throw refused(
      `the current moves by ${(spreadRatio * 100).toFixed(1)} % between readings, more than ${MOST_SPREAD * 100} %`,
      'take a steady load: a power resistor or an electronic load, not a board',
    );
  }
  const ohms = size / knownAmperes;
  const { stepVolts = 0 } = rail;
  if (Math.abs(ohms / configuredOhms - 1) > MOST_DEVIATION) throw refusedAs(ohms, configuredOhms, size, knownAmperes);
  return {
    shuntOhms: Number(ohms.toPrecision(4)),
    uncertaintyRatio: roundTo((OFFSET_VOLTS + stepVolts / 2) / size + GAIN_ERROR, 5),
    configuredOhms,
    shuntVolts: roundTo(mean, 9),
    spreadRatio: roundTo(spreadRatio, 5),
    readings: volts.length,
    backwards: mean < 0,
  };
}

/** The module whose print fits a measured shunt; undefined where none does. */
export function moduleLike(ohms: number): { print: string; ohms: number } | undefined {
  return MODULES.find((module) => Math.abs(ohms / module.ohms - 1) <= 0.15);
}

async function readCurrents({ rail, shuntOhms, intervalMs, clock }: CalibrationOptions): Promise<number[]> {
  const { found, detail } = await rail.find();
  if (!found) throw unreadable(rail, detail);
  const currents: number[] = [];
  let empty = 0;
  while (currents.length < READINGS) {
    await sleep(clock, intervalMs);
    const reading = await rail.read();
    if ('saturated' in reading) {
      const most = fullScaleAmperes(shuntOhms);
      throw refused(
        'the chip is at full scale',
        `take a smaller current: ${shuntOhms} ohm measures up to ${most.toFixed(2)} A, and a larger shunt less`,
      );
    }
    if ('currentAmperes' in reading) {
      currents.push(reading.currentAmperes);
      continue;
    }
    empty += 1;
    if (empty > MOST_EMPTY) throw unreadable(rail, whyEmpty(reading));
  }
  return currents;
}

function whyEmpty(reading: RailReading): string {
  return 'absent' in reading ? reading.absent : 'it gives no values';
}

function refusedAs(ohms: number, configured: number, volts: number, amperes: number): ErichtError {
  const measured = `${millivolts(volts)} mV at ${amperes} A is ${Number(ohms.toPrecision(3))} ohm, and ${configured} is configured`;
  const module = moduleLike(ohms);
  return refused(
    measured,
    module
      ? `this is a module marked ${module.print}: look at it, and if so set shuntOhms: ${module.ohms} and calibrate again`
      : 'no common module has such a shunt: check the meter, and whether all of the current flows through the shunt',
  );
}

function millivolts(volts: number): string {
  return (volts * 1000).toFixed(3);
}

function refused(why: string, next: string): ErichtError {
  return new ErichtError('CALIBRATION_REFUSED', { what: 'no shunt can be worked out', why, next });
}

function unreadable(rail: RailReader, why: string): ErichtError {
  return new ErichtError('SENSOR_UNREADABLE', { what: `cannot read rail ${rail.label}`, why });
}
