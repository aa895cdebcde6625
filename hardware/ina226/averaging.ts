/** Index is the field's value. Source: TI SBOS547B, configuration register. */
const SAMPLE_COUNTS = [1, 4, 16, 64, 128, 256, 512, 1024];
const CONVERSION_MICROSECONDS = [140, 204, 332, 588, 1100, 2116, 4156, 8244];

/** The chip's oscillator may be this much slower than typical, and as much faster. */
export const OSCILLATOR_TOLERANCE = 0.1;

/**
 * Beyond a second nothing is gained: a window is then over within the second that a person waits for a single report,
 * a saturated second is seen as such, and a chip that loses its supply takes no more than a second with it.
 */
const LONGEST_MS = 1000;

const POLLS_PER_REPORT = 2;

/** Part of a report's time that even a slow chip's window takes at most; the rest is for late polls. */
const MOST_OF_REPORT = 0.95;

/** Bits 14 to 12 are fixed at 100b; mode 7 converts shunt and bus continuously. */
const FIXED_BITS = 0x4000;
const CONTINUOUS_SHUNT_AND_BUS = 7;

export interface Averaging {
  /** Word for the configuration register. */
  configuration: number;
  /** Typical length of one window in milliseconds. */
  windowMs: number;
  /** How often it is looked whether a window is over: well within the window of a fast chip, so that none is missed. */
  pollMs: number;
}

/**
 * The longest averaging window that even a slow chip completes within one report interval, so that each report has a
 * window of its own, looked at twice per interval. At 1 s: 823 ms (741 to 906 ms as the oscillator has it), polled every
 * 500 ms, so that a poll may be 241 ms late before a fast chip ends two windows unread. The shunt, whose signal is in
 * microvolts, gets at least the bus's conversion time.
 */
export function averagingFor(intervalMs: number): Averaging {
  const reportMs = Math.min(intervalMs, LONGEST_MS);
  const mostMs = (reportMs * MOST_OF_REPORT) / (1 + OSCILLATOR_TOLERANCE);
  let best = { configuration: configurationWord(0, 0, 0), windowMs: windowOf(0, 0, 0) };
  for (let count = 0; count < SAMPLE_COUNTS.length; count += 1) {
    for (let shunt = 0; shunt < CONVERSION_MICROSECONDS.length; shunt += 1) {
      for (let bus = 0; bus <= shunt; bus += 1) {
        const windowMs = windowOf(count, bus, shunt);
        if (windowMs > mostMs || windowMs <= best.windowMs) continue;
        best = { configuration: configurationWord(count, bus, shunt), windowMs };
      }
    }
  }
  return { ...best, pollMs: Math.max(1, reportMs / POLLS_PER_REPORT) };
}

/** Typical length in milliseconds of the window that a configuration word asks for. */
export function windowMsOf(configuration: number): number {
  return windowOf((configuration >> 9) & 7, (configuration >> 6) & 7, (configuration >> 3) & 7);
}

function configurationWord(count: number, bus: number, shunt: number): number {
  return FIXED_BITS | (count << 9) | (bus << 6) | (shunt << 3) | CONTINUOUS_SHUNT_AND_BUS;
}

function windowOf(count: number, bus: number, shunt: number): number {
  return (SAMPLE_COUNTS[count]! * (CONVERSION_MICROSECONDS[bus]! + CONVERSION_MICROSECONDS[shunt]!)) / 1000;
}
