import type { Test } from 'tap';
import type { Rail, Report } from '../../../telemetry/report.ts';
import type { SeededRandom } from '../seeded-random.ts';
import type { RailConfig } from './board-agent.ts';
import { CHIP_ADDRESSES, IDENTITY, type Load, measuring, type Words } from './board-chips.ts';

/** One chip of a board: its load, and the resistor that the load flows through. */
export interface Row extends Load {
  says: string;
  shuntOhms: number;
}

export interface Chip extends Row {
  address: number;
}

/** Volts, amperes and watts as somebody tells them. */
export interface Values {
  busVolts: number;
  currentAmperes: number;
  powerWatts: number;
}

const R002 = 0.002;
const R010 = 0.01;
const R100 = 0.1;

const row = (says: string, shuntOhms: number, shunt: number, bus: number): Row => ({ says, shuntOhms, shunt, bus });

/** Where errors of sign, width and scale show. */
const EDGES: Row[] = [
  row('nothing flows', R010, 0, 4080),
  row('one step to the load', R010, 1, 4080),
  row('one step back', R010, -1, 4080),
  row('no voltage, no current', R010, 0, 0),
  row('one step of voltage', R010, 100, 1),
  row('nearly full scale to the load', R100, 32_700, 4080),
  row('nearly full scale back', R010, -32_700, 4080),
  row('a power beyond 15 bits', R010, 32_600, 28_800),
  row('negative by a power beyond 15 bits', R002, -32_600, 28_800),
  row('the most of 15 bits', R010, 16_384, 16_384),
];

/** What hangs on rails of a case. */
const LOADS: Row[] = [
  row('a Raspberry Pi 5 at rest', R010, 2_220, 4_096),
  row('a Raspberry Pi 5 under load', R010, 19_600, 3_960),
  row('a Raspberry Pi 4 under load', R010, 5_120, 4_064),
  row('an Orange Pi 5 Plus under load', R010, 14_800, 4_010),
  row('an inlet of 24 V', R002, 5_000, 19_200),
  row('lights at 12 V', R100, 14_000, 9_600),
  row('a battery that is charged', R002, -2_480, 10_080),
];

/** The last step before the ends of the converter: those that read it whole take it for a number. */
export const ENDS: Row[] = [
  row('the last step to the load', R010, 32_766, 4080),
  row('the last step back', R010, -32_766, 4080),
];

/** Rows in groups of as many chips as a board has. */
export function boardsOf(rows: Row[]): Chip[][] {
  const boards: Chip[][] = [];
  for (let at = 0; at < rows.length; at += CHIP_ADDRESSES.length) {
    const group = rows.slice(at, at + CHIP_ADDRESSES.length);
    boards.push(group.map((each, index) => ({ ...each, address: CHIP_ADDRESSES[index]! })));
  }
  return boards;
}

/** Edges, real loads and some that chance picks, away from the ends of the converter. */
export function registerTable(random: SeededRandom, picked: number): Row[] {
  const rows = [...EDGES, ...LOADS];
  for (let count = 0; count < picked; count += 1) {
    const shuntOhms = random.pick([R002, R010, R100]);
    rows.push(row('picked by chance', shuntOhms, random.int(-32_600, 32_600), random.int(0, 28_800)));
  }
  return rows;
}

export function wordsOf(chips: Chip[], more: Words = {}): Map<number, Words> {
  return new Map(chips.map((chip) => [chip.address, { ...IDENTITY, ...measuring(chip), ...more }]));
}

/** A module of 0.1 Ω is too small for a board's supply. */
export function railsOf(chips: Chip[], bus: number): RailConfig[] {
  return chips.map(({ address, shuntOhms }) => ({
    label: labelOf(address),
    measures: shuntOhms === R100 ? 'lights' : 'board',
    bus,
    address,
    shuntOhms,
  }));
}

export function labelOf(address: number): string {
  return `rail-${address.toString(16)}`;
}

export function railOf(report: Report, address: number): Rail | undefined {
  return report.rails?.find(({ label }) => label === labelOf(address));
}

/** Whether every rail has values. */
export function allRead({ rails = [] }: Report): boolean {
  return rails.length > 0 && rails.every(({ powerWatts }) => powerWatts !== undefined);
}

/** One step of each register, in volts, amperes and watts. Source: SBOS547B, 7.5. */
export function stepsOf({ shuntOhms }: Row): Values {
  const currentAmperes = 2.5e-6 / shuntOhms;
  return { busVolts: 1.25e-3, currentAmperes, powerWatts: 25 * currentAmperes };
}

/** What the registers of this chip stand for. */
export function valuesOf(chip: Row): Values {
  const words = measuring(chip);
  const steps = stepsOf(chip);
  return {
    busVolts: chip.bus * steps.busVolts,
    currentAmperes: chip.shunt * steps.currentAmperes,
    powerWatts: Math.sign(chip.shunt) * words[3]! * steps.powerWatts,
  };
}

/** Fails where values are not within `steps` of what the judge says. */
export function agrees(t: Test, chip: Chip, ours: Partial<Values> | undefined, judge: Values, steps: Values): void {
  const title = `${chip.says} (${chip.shunt}, ${chip.bus}, ${chip.shuntOhms} ohms)`;
  for (const name of ['busVolts', 'currentAmperes', 'powerWatts'] as const) {
    const value = ours?.[name];
    const close = value !== undefined && Math.abs(value - judge[name]) <= steps[name];
    t.ok(close, `${title}: ${name} ${value}, the judge says ${judge[name]}`, { ours });
  }
}
