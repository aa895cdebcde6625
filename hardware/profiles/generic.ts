import type { BoardProfile } from './profile.ts';

/** Any Linux machine: nothing is assumed beyond the 5 V at which boards of this size are fed. */
export const GENERIC: BoardProfile = {
  id: 'generic',
  name: 'generic Linux',
  model: /^/,
  i2cActivation: [],
  storage: { sdCards: [], bootFiles: {} },
  throttling: 'none',
  pageSizesBytes: [],
  supplyVolts: 5,
  unproved: [],
};
