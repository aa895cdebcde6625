import { GENERIC } from './profiles/generic.ts';
import { ORANGE_PI_5, ORANGE_PI_5_PLUS, ORANGE_PI_5B } from './profiles/orange-pi.ts';
import type { BoardProfile } from './profiles/profile.ts';
import { RASPBERRY_PI_4, RASPBERRY_PI_5 } from './profiles/raspberry-pi.ts';

/** The generic profile is last: it matches everything. */
export const BOARD_PROFILES: readonly BoardProfile[] = [
  RASPBERRY_PI_4,
  RASPBERRY_PI_5,
  ORANGE_PI_5_PLUS,
  ORANGE_PI_5B,
  ORANGE_PI_5,
  GENERIC,
];

/** The profile of a board by its device-tree model; the generic one where the model is unknown or absent. */
export function profileOf(model: string | undefined): BoardProfile {
  return BOARD_PROFILES.find((profile) => profile.model.test(model ?? ''))!;
}
