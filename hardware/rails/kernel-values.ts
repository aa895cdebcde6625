import { OSCILLATOR_TOLERANCE } from '../ina226/averaging.ts';

/** One reading as a driver scales it, by its own idea of the shunt. */
export type KernelReading =
  /** Watts without a sign: the chip's power register has none. */
  | { busVolts: number; currentAmperes: number; powerWatts: number }
  | { saturated: true }
  /** The chip lost its settings, which this driver doesn't mend. */
  | { settingsLost: true }
  /** A chip that was just reset shows the same: not to be told as a number yet. */
  | { unsure: string };

/** What one of the kernel's two drivers makes of a chip. */
export interface KernelValues {
  /** By which the driver scales; undefined where it doesn't tell. */
  shuntOhms(): Promise<number | undefined>;
  /**
   * Lengthens the chip's averaging window to fit into the interval, where that may be set; never shortens it. Resolves
   * with the window in milliseconds, undefined where the driver doesn't tell.
   */
  average(intervalMs: number): Promise<number | undefined>;
  read(): Promise<KernelReading>;
}

/** How many samples a chip can average. */
const SAMPLE_COUNTS = [1024, 512, 256, 128, 64, 16, 4, 1];

/** The most samples whose window fits even a slow chip's into the interval. */
export function samplesFor(intervalMs: number, sampleMs: number): number {
  return SAMPLE_COUNTS.find((count) => count * sampleMs * (1 + OSCILLATOR_TOLERANCE) <= intervalMs) ?? 1;
}
