/** Registers of the INA226. Source: TI SBOS547B, "Register Maps". All are 16 bit. */
export const Register = {
  configuration: 0x00,
  shunt: 0x01,
  bus: 0x02,
  power: 0x03,
  current: 0x04,
  calibration: 0x05,
  mask: 0x06,
  manufacturer: 0xfe,
  die: 0xff,
} as const;

/** Conversion-ready flag (CVRF) of the mask register: all conversions and averages of a window are done. */
export const CONVERSION_READY = 0x0008;

/** Math-overflow flag (OVF) of the mask register: current and power of the window may be wrong. */
export const OVERFLOW = 0x0004;

/**
 * The calibration is always this: the current register then equals the shunt register and no product can overflow
 * (32767 × 28800 / 20000 = 47184 at 36 V). Scaling is done here in floating point, which spares the error of a truncated
 * calibration (0.055 % at 0.1 Ω and 3.2 A).
 */
export const CALIBRATION = 2048;

const SHUNT_LSB_VOLTS = 2.5e-6;
const BUS_LSB_VOLTS = 1.25e-3;
/** The power register counts in 25 of the current register's steps. */
const POWER_LSB_PER_CURRENT_LSB = 25;

/** ±81.92 mV across the shunt. */
export const SHUNT_FULL_SCALE_VOLTS = 32_767 * SHUNT_LSB_VOLTS;

/** Registers of one window as they come off the bus: unsigned 16-bit words. */
export interface RawReading {
  shunt: number;
  bus: number;
  power: number;
}

export type DecodedReading = { saturated: true } | { busVolts: number; currentAmperes: number; powerWatts: number };

/**
 * Volts, amperes and watts of one window at CALIBRATION. Power comes from the power register, whose products the chip
 * made sample by sample, so that ripple counts; it has no sign, and takes that of the current. A converter at its end
 * (7FFFh, 8000h) says only "at least": no number is made of it.
 */
export function decodeReading(raw: RawReading, shuntOhms: number): DecodedReading {
  const shunt = toSigned(raw.shunt);
  if (shunt === 0x7fff || shunt === -0x8000 || raw.bus >= 0x7fff) return { saturated: true };
  const currentLsbAmperes = SHUNT_LSB_VOLTS / shuntOhms;
  const powerWatts = raw.power * POWER_LSB_PER_CURRENT_LSB * currentLsbAmperes;
  return {
    busVolts: raw.bus * BUS_LSB_VOLTS,
    currentAmperes: shunt * currentLsbAmperes,
    powerWatts: shunt < 0 && powerWatts !== 0 ? -powerWatts : powerWatts,
  };
}

export function toSigned(word: number): number {
  return word >= 0x8000 ? word - 0x10000 : word;
}

/** Whether manufacturer and die say INA226; the low nibble is the revision. */
export function isIna226(manufacturer: number, die: number): boolean {
  return manufacturer === 0x5449 && (die & 0xfff0) === 0x2260;
}
