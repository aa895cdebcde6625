import { OSCILLATOR_TOLERANCE } from './averaging.ts';

/** Windows over which the mean length is taken: long against the jitter of polls, short against a warming chip. */
const MEAN_OVER = 256;

/** A little beyond the oscillator's tolerance, for what the polls themselves take. */
const MOST_DEVIATION = 1 + OSCILLATOR_TOLERANCE + 0.02;

export interface EndedWindow {
  /** What the newest window stands for; 0 for the first, of which it isn't known when it began. */
  lengthMs: number;
  /** Windows that ended before it since the look before, and can't be read any more. */
  missed: number;
}

/**
 * How long a chip's averaging windows last, measured against the monotonic clock. Polls only tell that a window ended
 * between two of them; the ends are a straight line through all those brackets, and each window is as long as the
 * line's step. The lengths of an unbroken row of windows add up to the time between its ends, to within two polls
 * however long it is.
 */
export class WindowClock {
  readonly #typicalMs: number;
  #windowMs: number;
  /** When the newest window ended, and so the running one began; undefined while that isn't known. */
  #lastEndMs: number | undefined;
  #measured = 0;

  constructor(typicalMs: number) {
    this.#typicalMs = typicalMs;
    this.#windowMs = typicalMs;
  }

  /** The mean length as measured so far; typical at first. */
  get windowMs(): number {
    return this.#windowMs;
  }

  /** A window begins: the settings were just written. */
  begin(atMs: number): void {
    this.#lastEndMs = atMs;
  }

  /** When the running window began is not known (any more). */
  lose(): void {
    this.#lastEndMs = undefined;
  }

  /** A window was found to be over by `byMs`; at the look before, at `afterMs`, it was not. */
  ended(afterMs: number, byMs: number): EndedWindow {
    const beganMs = this.#lastEndMs;
    if (beganMs === undefined) {
      this.#lastEndMs = byMs;
      return { lengthMs: 0, missed: 0 };
    }
    const most = Math.floor((byMs - afterMs) / this.#windowMs) + 1;
    const windows = Math.min(most, Math.max(1, Math.floor((byMs - beganMs) / this.#windowMs)));
    const expectedMs = beganMs + windows * this.#windowMs;
    const endMs = Math.min(byMs, Math.max(expectedMs, afterMs, beganMs));
    this.#lastEndMs = endMs;
    if (windows > 1) return { lengthMs: this.#windowMs, missed: windows - 1 };
    this.#measured = Math.min(MEAN_OVER, this.#measured + 1);
    this.#windowMs = this.#plausible(this.#windowMs + (endMs - expectedMs) / this.#measured);
    // A stretch that is longer than any chip's window held something else, too.
    return { lengthMs: Math.min(endMs - beganMs, this.#typicalMs * MOST_DEVIATION), missed: 0 };
  }

  #plausible(windowMs: number): number {
    return Math.min(this.#typicalMs * MOST_DEVIATION, Math.max(this.#typicalMs * (2 - MOST_DEVIATION), windowMs));
  }
}
