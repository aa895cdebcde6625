import { SHUNT_FULL_SCALE_VOLTS as INA226_FULL_SCALE_VOLTS } from '../ina226/registers.ts';
import type { BoardProfile } from '../profiles/profile.ts';
import type { RailSettings } from '../rail-reader.ts';

/** A rail whose chip would be at full scale before its load is. */
export interface FullScaleProblem {
  label: string;
  /** The arithmetic. */
  what: string;
  next: string;
}

/** Amperes at which the converter is at its end. */
export function fullScaleAmperes(shuntOhms: number, fullScaleVolts = INA226_FULL_SCALE_VOLTS): number {
  return fullScaleVolts / shuntOhms;
}

/** The largest shunt that measures this much, cut to two digits so that it stays below full scale. */
export function largestShuntOhms(amperes: number, fullScaleVolts = INA226_FULL_SCALE_VOLTS): number {
  const ohms = fullScaleVolts / amperes;
  const step = 10 ** (Math.floor(Math.log10(ohms)) - 1);
  return Number((Math.floor(ohms / step) * step).toPrecision(2));
}

/**
 * Why a rail can't measure what it is meant for; undefined if it can, or if nothing is known of its load. The load is
 * `maxAmperes` where it is configured, else, for a rail that measures a known board, what that board draws at most.
 * `fullScaleVolts` is that of the chip: an INA219 behind a kernel driver takes 320 mV.
 */
export function fullScaleProblem(
  { label, measures, shuntOhms, maxAmperes }: RailSettings,
  { name, maxWatts, supplyVolts }: BoardProfile,
  fullScaleVolts = INA226_FULL_SCALE_VOLTS,
): FullScaleProblem | undefined {
  const most = fullScaleAmperes(shuntOhms, fullScaleVolts);
  const millivolts = (fullScaleVolts * 1000).toFixed(2);
  const limit = `a shunt of ${shuntOhms} ohm is at full scale at ${most.toFixed(2)} A (${millivolts} mV / ${shuntOhms} ohm)`;
  if (maxAmperes !== undefined) {
    if (most >= maxAmperes) return undefined;
    const next = `take ${largestShuntOhms(maxAmperes, fullScaleVolts)} ohm or less, or lower maxAmperes`;
    return { label, what: `rail ${label}: ${limit}; its maxAmperes is ${maxAmperes} A`, next };
  }
  if (measures !== 'board' || maxWatts === undefined) return undefined;
  const needed = maxWatts / supplyVolts;
  if (most >= needed) return undefined;
  const watts = (most * supplyVolts).toFixed(1);
  return {
    label,
    what:
      `rail ${label}: ${limit}, which is ${watts} W at ${supplyVolts} V; ` +
      `${/^[AEIO]/.test(name) ? 'an' : 'a'} ${name} draws up to ${maxWatts} W (${Number(needed.toFixed(2))} A)`,
    next: `take ${largestShuntOhms(needed, fullScaleVolts)} ohm or less, or set maxAmperes`,
  };
}
