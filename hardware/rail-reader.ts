/** What hangs on a rail; an inlet is the total of the case. */
export const RAIL_MEASURES = ['board', 'switch', 'lights', 'inlet'] as const;
export type RailMeasures = (typeof RAIL_MEASURES)[number];

/** The way in to a rail's values. */
export type RailSource = 'hwmon' | 'iio' | 'i2c' | 'battery';

/** A rail as configured. There is no default shunt: R100, R010 and R002 modules look alike. */
export interface RailSettings {
  /** Unique on its node. */
  label: string;
  measures: RailMeasures;
  /** Number of the I2C bus: 1 is /dev/i2c-1. */
  bus: number;
  /** 0x40 to 0x4f. */
  address: number;
  shuntOhms: number;
  /** What the load draws at most, where that isn't what the board's profile says. */
  maxAmperes?: number | undefined;
}

export interface RailValues {
  busVolts: number;
  currentAmperes: number;
  powerWatts: number;
}

/** Energy that a reader has counted itself since the reading before, and the time that it is made of. */
export interface CountedEnergy {
  joules: number;
  seconds: number;
}

/** One reading. Either `powerWatts` and its companions, or why there are none: never both, never a filler. */
export type RailReading = (
  | RailValues
  /** The chip was at full scale, so that its number says only "at least". */
  | { saturated: true }
  | { absent: string }
) & {
  /** From a reader that sees every averaging window; the others' readings stand for the time between them. */
  counted?: CountedEnergy;
};

/** What a reader has met over its whole life; absent what its way in can't tell. */
export interface RailCounts {
  /** Times that the chip was found with its settings lost. */
  resets?: number;
  saturatedWindows?: number;
  overflowedWindows?: number;
  /** Windows that ended unread because a look came too late. */
  missedWindows?: number;
}

export interface RailFinding {
  found: boolean;
  /** What was found, or why it is absent: one short sentence. */
  detail: string;
}

/** One rail by one way in. Calls may overlap; a reader puts them in order. */
export interface RailReader {
  readonly label: string;
  readonly measures: RailMeasures;
  readonly source: RailSource;
  /** Bus and address, or the device in sysfs. */
  readonly location: string;
  readonly shuntOhms?: number | undefined;
  /** Volts across the shunt between two neighbouring values of the current; absent where that is the chip's own step. */
  readonly stepVolts?: number | undefined;
  readonly counts?: RailCounts;
  /** Looks whether the rail can be read, and sets it up; may be repeated at any time. Never rejects. */
  find(): Promise<RailFinding>;
  /** One reading; rejects with SENSOR_UNREADABLE when the rail has to be looked for again. */
  read(signal?: AbortSignal): Promise<RailReading>;
  close(): Promise<void>;
}
