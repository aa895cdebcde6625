/** What hangs on the chip, in the units of the world. */
export interface Load {
  busVolts: number;
  shuntVolts: number;
}

/** Results in the chip's steps: of the shunt, of the bus, and of their products. */
export interface Steps {
  shunt: number;
  bus: number;
  product: number;
}

/** The converters of a pretended chip: they clamp each sample, multiply it, and average over a window. */
export class FakeAdc {
  load: Load = { busVolts: 5, shuntVolts: 0 };
  #sums: Steps = { shunt: 0, bus: 0, product: 0 };
  #beganMs = 0;
  #untilMs = 0;

  /** What one sample of the present load gives. */
  steps(): Steps {
    const shunt = Math.min(32_767, Math.max(-32_768, Math.round(this.load.shuntVolts / 2.5e-6)));
    const bus = Math.min(32_767, Math.max(0, Math.round(this.load.busVolts / 1.25e-3)));
    return { shunt, bus, product: Math.abs(shunt) * bus };
  }

  begin(atMs: number): void {
    this.#sums = { shunt: 0, bus: 0, product: 0 };
    this.#beganMs = atMs;
    this.#untilMs = atMs;
  }

  /** The present load has been there since the last call. */
  passUntil(atMs: number): void {
    const forMs = Math.max(0, atMs - this.#untilMs);
    const { shunt, bus, product } = this.steps();
    this.#sums.shunt += shunt * forMs;
    this.#sums.bus += bus * forMs;
    this.#sums.product += product * forMs;
    this.#untilMs = Math.max(atMs, this.#untilMs);
  }

  /** The mean over the window that ends at this moment. */
  mean(endMs: number): Steps {
    this.passUntil(endMs);
    const lengthMs = endMs - this.#beganMs;
    return {
      shunt: Math.round(this.#sums.shunt / lengthMs),
      bus: Math.round(this.#sums.bus / lengthMs),
      product: this.#sums.product / lengthMs,
    };
  }
}
