import type { Clock, TimerHandle } from '../../lib/clock.ts';
import { Turns } from '../../lib/turns.ts';
import type { CountedEnergy, RailCounts, RailReading, RailValues } from '../rail-reader.ts';
import { type Averaging, OSCILLATOR_TOLERANCE } from './averaging.ts';
import type { Ina226 } from './device.ts';
import type { DecodedReading } from './registers.ts';
import { WindowClock } from './window-clock.ts';

/** What a reading says that found the chip with its settings lost. */
const SETTINGS_LOST = 'the chip had lost its settings (its supply broke down) and was set up again';
const NO_WINDOW_YET = 'the first averaging window is not over';

/** The first window is waited for with more looks, so that whoever asks a single time a second later has it. */
const FIRST_POLLS = 8;

export interface WindowReaderOptions {
  chip: Ina226;
  averaging: Averaging;
  clock: Clock;
}

/** What came since the last reading was taken. */
interface Since {
  windows: number;
  sums: RailValues;
  saturated: boolean;
  settingsLost: boolean;
  overflowed: boolean;
  counted: CountedEnergy;
}

/**
 * Reads every averaging window of one chip: polls its flags on the clock (1 transfer), and reads a window that is over
 * (5 more). At 1 s reports that is 2 polls and 1.2 windows a second, 8 transfers. Each window counts as energy for the
 * measured length of a window, so that neither the jitter of polls nor the chip's oscillator enters. A failed transfer
 * ends the polling until `start()`.
 */
export class WindowReader {
  readonly #chip: Ina226;
  readonly #averaging: Averaging;
  readonly #clock: Clock;
  readonly #windows: WindowClock;
  readonly #turns = new Turns();
  readonly #counts = { saturatedWindows: 0, overflowedWindows: 0, missedWindows: 0 };
  #since = nothingYet();
  /** The last mean, repeated for a moment when a poll comes late. */
  #last: { values: RailValues; atMs: number } | undefined;
  #timer: TimerHandle | undefined;
  #active = false;
  #failure: { error: unknown } | undefined;
  #setUps = 0;
  #nextPollMs = 0;
  #pollingSinceMs: number | undefined;
  /** When the flags were read last. */
  #lookedMs = 0;
  #windowSeenMs: number | undefined;
  #watchedSinceMs = 0;

  constructor({ chip, averaging, clock }: WindowReaderOptions) {
    this.#chip = chip;
    this.#averaging = averaging;
    this.#clock = clock;
    this.#windows = new WindowClock(averaging.windowMs);
  }

  get counts(): RailCounts {
    return { resets: this.#chip.resets, ...this.#counts };
  }

  /** Sets the chip up and begins to poll; may be repeated. Rejects with SENSOR_UNREADABLE. */
  start(): Promise<void> {
    return this.#turns.take(async () => {
      await this.#chip.prepare();
      this.#noteSetUp();
      if (this.#active) return;
      this.#active = true;
      this.#failure = undefined;
      const nowMs = this.#clock.monotonicMs();
      this.#nextPollMs = nowMs;
      this.#watchedSinceMs = nowMs;
      this.#schedule();
    });
  }

  /** Ends the polling; nothing more is read until `start()`. */
  stop(): void {
    this.#active = false;
    this.#last = undefined;
    // Energy stays what it is; a value would be told as that of the reading after the pause, a minute later perhaps.
    const { counted, settingsLost } = this.#since;
    this.#since = { ...nothingYet(), counted, settingsLost };
    this.#windowSeenMs = undefined;
    // Windows end unseen from here on.
    this.#windows.lose();
    if (this.#timer !== undefined) this.#clock.clear(this.#timer);
    this.#timer = undefined;
  }

  /**
   * The mean of the windows since the last call, without touching the bus. One saturated window among them, or a chip
   * found reset, and there is no number. Throws what the transfer failed with that ended the polling.
   */
  take(): RailReading {
    if (this.#failure) throw this.#failure.error;
    const { windows, sums, saturated, settingsLost, overflowed, counted } = this.#since;
    this.#since = nothingYet();
    if (saturated) return { saturated: true, counted };
    if (settingsLost) return { absent: SETTINGS_LOST, counted };
    const nowMs = this.#clock.monotonicMs();
    if (windows > 0) {
      const values = {
        busVolts: sums.busVolts / windows,
        currentAmperes: sums.currentAmperes / windows,
        powerWatts: sums.powerWatts / windows,
      };
      this.#last = { values, atMs: this.#windowSeenMs ?? nowMs };
      return { ...values, counted };
    }
    if (overflowed) return { absent: 'the chip marked its current and power as overflowed', counted };
    // A slow chip's window, seen at the next poll: whatever takes longer is no late poll.
    const patienceMs = this.#averaging.windowMs * (1 + OSCILLATOR_TOLERANCE) + this.#averaging.pollMs;
    if (this.#pollingSinceMs !== undefined && nowMs - this.#pollingSinceMs > this.#averaging.pollMs) {
      return { absent: 'an earlier transfer has not ended', counted };
    }
    if (this.#last && nowMs - this.#last.atMs <= patienceMs) return { ...this.#last.values, counted };
    const silentMs = nowMs - (this.#windowSeenMs ?? this.#watchedSinceMs);
    if (silentMs <= patienceMs) return { absent: NO_WINDOW_YET, counted };
    return { absent: `the chip has ended no averaging window for ${(silentMs / 1000).toFixed(1)} s`, counted };
  }

  /** On a grid of its own; what is missed is skipped, so that a stall isn't followed by a burst. */
  #schedule(): void {
    const pollMs = this.#pollMs();
    const nowMs = this.#clock.monotonicMs();
    if (this.#nextPollMs < nowMs) this.#nextPollMs += Math.ceil((nowMs - this.#nextPollMs) / pollMs) * pollMs;
    this.#timer = this.#clock.setTimer(() => void this.#tick(), this.#nextPollMs - nowMs);
  }

  #pollMs(): number {
    const { pollMs } = this.#averaging;
    const waitsForFirst =
      this.#windowSeenMs === undefined && this.#clock.monotonicMs() - this.#watchedSinceMs < 2 * pollMs;
    return waitsForFirst ? pollMs / FIRST_POLLS : pollMs;
  }

  async #tick(): Promise<void> {
    this.#nextPollMs += this.#pollMs();
    this.#pollingSinceMs = this.#clock.monotonicMs();
    try {
      await this.#turns.take(() => this.#poll());
    } catch (error) {
      if (this.#active) this.#failure = { error };
      this.stop();
    }
    this.#pollingSinceMs = undefined;
    if (this.#active) this.#schedule();
  }

  async #poll(): Promise<void> {
    if (!this.#active) return;
    const beforeMs = this.#clock.monotonicMs();
    const { ready, overflowed } = await this.#chip.readFlags();
    const afterMs = this.#clock.monotonicMs();
    const lookedMs = this.#lookedMs;
    this.#lookedMs = beforeMs;
    if (!ready) return this.#checkIfOverdue(afterMs);
    const window = await this.#chip.readWindow();
    if (window === undefined) return this.#noteSetUp();
    const { lengthMs, missed } = this.#windows.ended(lookedMs, afterMs);
    this.#windowSeenMs = afterMs;
    this.#counts.missedWindows += missed;
    this.#take(window, overflowed, lengthMs);
  }

  #take(window: DecodedReading, overflowed: boolean, lengthMs: number): void {
    const since = this.#since;
    if ('saturated' in window) {
      this.#counts.saturatedWindows += 1;
      since.saturated = true;
      this.#last = undefined;
    } else if (overflowed) {
      this.#counts.overflowedWindows += 1;
      since.overflowed = true;
      this.#last = undefined;
    } else {
      since.windows += 1;
      since.sums.busVolts += window.busVolts;
      since.sums.currentAmperes += window.currentAmperes;
      since.sums.powerWatts += window.powerWatts;
      // Power that flows backwards counts as none, so that the counter never falls.
      since.counted.joules += (Math.max(0, window.powerWatts) * lengthMs) / 1000;
      since.counted.seconds += lengthMs / 1000;
    }
  }

  /** A chip that was switched to another mode sets no flag, and would be waited for in vain. */
  async #checkIfOverdue(nowMs: number): Promise<void> {
    const overdueMs = 2 * this.#averaging.windowMs * (1 + OSCILLATOR_TOLERANCE);
    if (nowMs - Math.max(this.#watchedSinceMs, this.#windowSeenMs ?? 0) <= overdueMs) return;
    this.#windows.lose();
    if (!(await this.#chip.ensureSettings())) this.#noteSetUp();
  }

  /** After the settings were written a window begins; what was lost with them is told by the next reading. */
  #noteSetUp(): void {
    if (this.#chip.setUps === this.#setUps) return;
    const nowMs = this.#clock.monotonicMs();
    if (this.#setUps > 0 || this.#chip.resets > 0) this.#since.settingsLost = true;
    this.#setUps = this.#chip.setUps;
    this.#last = undefined;
    this.#windowSeenMs = undefined;
    this.#lookedMs = nowMs;
    this.#watchedSinceMs = nowMs;
    this.#windows.begin(nowMs);
  }
}

function nothingYet(): Since {
  return {
    windows: 0,
    sums: { busVolts: 0, currentAmperes: 0, powerWatts: 0 },
    saturated: false,
    settingsLost: false,
    overflowed: false,
    counted: { joules: 0, seconds: 0 },
  };
}
