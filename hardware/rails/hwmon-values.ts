import type { KernelAttributes } from './kernel-attributes.ts';
import { type KernelChip, SHUNT_FULL_SCALE_VOLTS } from './kernel-chips.ts';
import { type KernelReading, type KernelValues, samplesFor } from './kernel-values.ts';

/** The driver takes 1.1 ms for the shunt and the same for the bus. */
const SAMPLE_MS = 2.2;

/** A bus at the converter's end: 32767 steps of 1.25 mV, cut to whole ones; no chip of the kind takes as much. */
const BUS_FULL_SCALE_MILLIVOLTS = 40_958;

/**
 * The hwmon driver, drivers/hwmon/ina2xx.c: mV, mA and µW, the shunt in µΩ. `update_interval` (ms) is the length of the
 * averaging window, 16 samples or 35 ms by default; setting it chooses the number of samples that comes nearest. It sets a
 * chip up again by itself whose calibration it finds gone.
 */
export class HwmonValues implements KernelValues {
  readonly #chip: KernelChip;
  readonly #attributes: KernelAttributes;
  #shuntOhms: number | undefined;
  #hasNothing = false;

  constructor(chip: KernelChip, attributes: KernelAttributes) {
    this.#chip = chip;
    this.#attributes = attributes;
  }

  async shuntOhms(): Promise<number | undefined> {
    const microohms = await this.#attributes.setting('shunt_resistor');
    this.#shuntOhms = microohms ? microohms / 1e6 : undefined;
    return this.#shuntOhms;
  }

  async average(intervalMs: number): Promise<number | undefined> {
    const presentMs = await this.#attributes.setting('update_interval');
    if (presentMs === undefined) return undefined;
    const wantedMs = Math.round(samplesFor(intervalMs, SAMPLE_MS) * SAMPLE_MS);
    if (presentMs >= wantedMs || !(await this.#attributes.set('update_interval', wantedMs))) return presentMs;
    return this.#attributes.setting('update_interval');
  }

  /**
   * Power is asked first: reading it is what makes the driver mend a chip. Until that one's first window is over all its
   * results are 0, so that a reading of nothing but zeros is believed only when it comes again.
   */
  async read(): Promise<KernelReading> {
    const microwatts = await this.#attributes.value('power1_input');
    const milliamperes = await this.#attributes.value('curr1_input');
    const millivolts = await this.#attributes.value('in1_input');
    if (this.#isSaturated(milliamperes) || millivolts >= BUS_FULL_SCALE_MILLIVOLTS) return { saturated: true };
    const hadNothing = this.#hasNothing;
    this.#hasNothing = microwatts === 0 && milliamperes === 0 && millivolts === 0;
    if (this.#hasNothing && !hadNothing) return { unsure: 'the chip shows nothing: it was reset, or its rail was cut' };
    return { busVolts: millivolts / 1000, currentAmperes: milliamperes / 1000, powerWatts: microwatts / 1e6 };
  }

  /** The kernel rounds to whole milliamperes, so that whatever rounds to full scale counts as full scale. */
  #isSaturated(milliamperes: number): boolean {
    if (this.#shuntOhms === undefined) return false;
    const fullScaleMilliamperes = (SHUNT_FULL_SCALE_VOLTS[this.#chip.name]! / this.#shuntOhms) * 1000;
    return Math.abs(milliamperes) >= Math.floor(fullScaleMilliamperes);
  }
}
