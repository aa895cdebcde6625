export interface BoardProfile {
  id: 'raspberry-pi-4' | 'raspberry-pi-5' | 'orange-pi-5' | 'orange-pi-5b' | 'orange-pi-5-plus' | 'generic';
  name: string;
  /** Matches the model of the device tree, as vendors ("Orange Pi 5") and mainline ("Xunlong Orange Pi 5") write it. */
  model: RegExp;
  /** The I2C bus of the pin header; absent where it isn't known. Bus 1 is /dev/i2c-1. */
  headerI2c?: { bus: number; sdaPin: number; sclPin: number };
  /** What the maker's own power supply gives at most. */
  maxWatts?: number;
}

/** The generic profile is last: it matches everything. */
const BOARD_PROFILES: readonly BoardProfile[] = [
  {
    id: 'raspberry-pi-4',
    name: 'Raspberry Pi 4',
    model: /\bRaspberry Pi 4\b/,
    headerI2c: { bus: 1, sdaPin: 3, sclPin: 5 },
    maxWatts: 15,
  },
  {
    id: 'raspberry-pi-5',
    name: 'Raspberry Pi 5',
    model: /\bRaspberry Pi 5\b/,
    headerI2c: { bus: 1, sdaPin: 3, sclPin: 5 },
    maxWatts: 27,
  },
  {
    id: 'orange-pi-5-plus',
    name: 'Orange Pi 5 Plus',
    model: /\bOrange Pi 5 Plus\b/,
    headerI2c: { bus: 2, sdaPin: 3, sclPin: 5 },
    maxWatts: 20,
  },
  {
    id: 'orange-pi-5b',
    name: 'Orange Pi 5B',
    model: /\bOrange Pi 5B\b/,
    headerI2c: { bus: 5, sdaPin: 3, sclPin: 5 },
    maxWatts: 20,
  },
  {
    id: 'orange-pi-5',
    name: 'Orange Pi 5',
    // "Orange Pi 5 Max" and the like are other boards with other pins.
    model: /\bOrange Pi 5(?! \w)(?!\w)/,
    headerI2c: { bus: 5, sdaPin: 3, sclPin: 5 },
    maxWatts: 20,
  },
  { id: 'generic', name: 'generic Linux', model: /^/ },
];

/** The profile of a board by its device-tree model; the generic one where the model is unknown or absent. */
export function profileOf(model: string | undefined): BoardProfile {
  return BOARD_PROFILES.find((profile) => profile.model.test(model ?? ''))!;
}
