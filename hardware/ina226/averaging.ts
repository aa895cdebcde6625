/** Index is the field's value. Source: TI SBOS547B, configuration register. */
const SAMPLE_COUNTS = [1, 4, 16, 64, 128, 256, 512, 1024];
const CONVERSION_MICROSECONDS = [140, 204, 332, 588, 1100, 2116, 4156, 8244];

/** The chip's oscillator may be this much slower than typical. */
const SLOWEST = 1.1;

/** Bits 14 to 12 are fixed at 100b; mode 7 converts shunt and bus continuously. */
const FIXED_BITS = 0x4000;
const CONTINUOUS_SHUNT_AND_BUS = 7;

export interface Averaging {
  /** Word for the configuration register. */
  configuration: number;
  /** Typical length of one window in milliseconds. */
  windowMs: number;
}

/**
 * The longest averaging window that even a slow chip completes within one report interval: each report then carries the
 * mean of a window of its own. The shunt, whose signal is in microvolts, gets at least the bus's conversion time.
 */
export function averagingFor(intervalMs: number): Averaging {
  let best: Averaging = { configuration: configurationWord(0, 0, 0), windowMs: windowOf(0, 0, 0) };
  for (let count = 0; count < SAMPLE_COUNTS.length; count += 1) {
    for (let shunt = 0; shunt < CONVERSION_MICROSECONDS.length; shunt += 1) {
      for (let bus = 0; bus <= shunt; bus += 1) {
        const windowMs = windowOf(count, bus, shunt);
        if (windowMs * SLOWEST > intervalMs || windowMs <= best.windowMs) continue;
        best = { configuration: configurationWord(count, bus, shunt), windowMs };
      }
    }
  }
  return best;
}

function configurationWord(count: number, bus: number, shunt: number): number {
  return FIXED_BITS | (count << 9) | (bus << 6) | (shunt << 3) | CONTINUOUS_SHUNT_AND_BUS;
}

function windowOf(count: number, bus: number, shunt: number): number {
  return (SAMPLE_COUNTS[count]! * (CONVERSION_MICROSECONDS[bus]! + CONVERSION_MICROSECONDS[shunt]!)) / 1000;
}
