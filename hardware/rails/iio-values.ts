import { type KernelAttributes, unreadable } from './kernel-attributes.ts';
import { type KernelChip, SHUNT_FULL_SCALE_VOLTS } from './kernel-chips.ts';
import { type KernelReading, type KernelValues, samplesFor } from './kernel-values.ts';

/** A raw value times its scale is in mV, mA or mW. */
const MILLI = 1e-3;

/** A bus at the converter's end: 40.96 V. */
const BUS_FULL_SCALE_VOLTS = 32_767 * 1.25e-3;

/** No shunt is as large; an older driver tells µΩ where a newer one tells Ω. */
const MOST_OHMS = 10;

/**
 * The IIO driver, drivers/iio/adc/ina2xx-adc.c: channels voltage0 (shunt), voltage1 (bus), power2 and current3. Amperes are
 * made here of the shunt's voltage, because an older driver's current comes in whole milliamperes. It averages 4 samples
 * unless told otherwise, and never looks whether a chip has lost its settings: then power stays 0 whatever flows.
 */
export class IioValues implements KernelValues {
  readonly #chip: KernelChip;
  readonly #attributes: KernelAttributes;
  #shuntOhms: number | undefined;
  #scales: { shuntVolts: number; busVolts: number; powerWatts: number } | undefined;

  constructor(chip: KernelChip, attributes: KernelAttributes) {
    this.#chip = chip;
    this.#attributes = attributes;
  }

  async shuntOhms(): Promise<number | undefined> {
    const told = await this.#attributes.setting('in_shunt_resistor');
    this.#shuntOhms = told !== undefined && told > MOST_OHMS ? told / 1e6 : told || undefined;
    // The scale of power follows the shunt: both are asked at the same time.
    this.#scales = await this.#readScales();
    return this.#shuntOhms;
  }

  async average(intervalMs: number): Promise<number | undefined> {
    const present = await this.#attributes.setting('in_oversampling_ratio');
    const shuntSeconds = await this.#attributes.setting('in_voltage0_integration_time');
    const busSeconds = await this.#attributes.setting('in_voltage1_integration_time');
    if (present === undefined || !shuntSeconds || !busSeconds) return undefined;
    const sampleMs = (shuntSeconds + busSeconds) * 1000;
    const wanted = samplesFor(intervalMs, sampleMs);
    if (present >= wanted || !(await this.#attributes.set('in_oversampling_ratio', wanted))) return present * sampleMs;
    return ((await this.#attributes.setting('in_oversampling_ratio')) ?? present) * sampleMs;
  }

  /** Between two transfers a load may go: only a chip that shows the same again has lost its settings. */
  async read(): Promise<KernelReading> {
    const reading = await this.#readOnce();
    return 'settingsLost' in reading ? this.#readOnce() : reading;
  }

  async #readOnce(): Promise<KernelReading> {
    this.#scales ??= await this.#readScales();
    const scales = this.#scales;
    const shuntSteps = await this.#attributes.value('in_voltage0_raw');
    const shuntVolts = shuntSteps * scales.shuntVolts;
    const busVolts = (await this.#attributes.value('in_voltage1_raw')) * scales.busVolts;
    const powerSteps = await this.#attributes.value('in_power2_raw');
    if (this.#isSaturated(shuntSteps, shuntVolts) || busVolts > BUS_FULL_SCALE_VOLTS - 6e-4) return { saturated: true };
    if (this.#shuntOhms === undefined) throw unreadable(this.#chip.device, 'the driver gives no in_shunt_resistor');
    const currentAmperes = shuntVolts / this.#shuntOhms;
    if (powerSteps === 0 && Math.abs(currentAmperes * busVolts) > 2 * scales.powerWatts) return { settingsLost: true };
    return { busVolts, currentAmperes, powerWatts: powerSteps * scales.powerWatts };
  }

  /** At an end of the converter; an INA219 is at that of its amplifier before. */
  #isSaturated(steps: number, volts: number): boolean {
    const fullScaleVolts = SHUNT_FULL_SCALE_VOLTS[this.#chip.name]!;
    return steps >= 0x7fff || steps <= -0x8000 || (fullScaleVolts > 0.1 && Math.abs(volts) >= fullScaleVolts);
  }

  async #readScales() {
    return {
      shuntVolts: (await this.#attributes.value('in_voltage0_scale')) * MILLI,
      busVolts: (await this.#attributes.value('in_voltage1_scale')) * MILLI,
      powerWatts: (await this.#attributes.value('in_power2_scale')) * MILLI,
    };
  }
}
