/** One way to switch the header's I2C bus on, for one operating system of a board. */
export interface I2cActivation {
  system: string;
  /** To be run as root; it may be repeated. */
  command?: string;
  /** Or a line to be put into a file; a line with the same key is extended, not repeated. */
  file?: string;
  line?: string;
  /** Whether the bus is there only after a restart of the board. */
  needsReboot: boolean;
  /** What else a person should know. */
  note?: string;
}

/**
 * A board as data. Nothing in it was measured by this project: each value names its source in a comment, and
 * `unproved` lists those for which there is no source better than common knowledge.
 */
export interface BoardProfile {
  id: 'raspberry-pi-4' | 'raspberry-pi-5' | 'orange-pi-5' | 'orange-pi-5b' | 'orange-pi-5-plus' | 'generic';
  name: string;
  /** Matches the model of the device tree, as vendors ("Orange Pi 5") and mainline ("Xunlong Orange Pi 5") write it. */
  model: RegExp;
  /** The I2C bus of the pin header; absent where it isn't known. Bus 1 is /dev/i2c-1. */
  headerI2c?: { bus: number; sdaPin: number; sclPin: number };
  /** The ways to switch that bus on; empty where it isn't known. */
  i2cActivation: readonly I2cActivation[];
  storage: {
    /** Device files that the SD card can have; more than one where kernels number them differently. */
    sdCards: readonly string[];
    nvme?: string;
    /** Soldered or plugged flash. */
    emmc?: string;
    /** Files that decide how the board boots, by operating system. */
    bootFiles: Readonly<Record<string, readonly string[]>>;
  };
  /** Who tells of under-voltage and throttling: rpi_volt and the firmware of a Raspberry Pi, or nobody. */
  throttling: 'raspberry-pi-firmware' | 'none';
  /** What the kernels for it use; the first is the default. Empty where any may be. */
  pageSizesBytes: readonly number[];
  /** What it draws at most, taken as what the maker's own power supply gives. */
  maxWatts?: number;
  /** Nominal voltage of its supply. */
  supplyVolts: number;
  unproved: readonly string[];
}
