/** A driver scales by the shunt that its device tree or its user told it; the configured one is the truth. */
export class ShuntCorrection {
  readonly configuredOhms: number | undefined;
  readonly kernelOhms: number | undefined;

  constructor(configuredOhms: number | undefined, kernelOhms: number | undefined) {
    this.configuredOhms = configuredOhms;
    this.kernelOhms = kernelOhms;
  }

  get ohms(): number | undefined {
    return this.configuredOhms ?? this.kernelOhms;
  }

  /** By which the driver's amperes and watts are multiplied. */
  get factor(): number {
    if (this.configuredOhms === undefined || this.kernelOhms === undefined) return 1;
    return this.kernelOhms / this.configuredOhms;
  }

  /** For the finding: ", shunt 0.01 ohms". */
  get words(): string {
    if (this.kernelOhms === undefined) return '';
    const kernel = `, shunt ${this.kernelOhms} ohms`;
    return this.factor === 1 ? kernel : `${kernel} there, corrected to the configured ${this.configuredOhms}`;
  }
}
