import type { Clock, TimerHandle } from './clock.ts';
import type { Log } from './log.ts';

/** Below this it is a slew, or a tick that came late. */
const STEP_MS = 2000;
const LOOK_EVERY_MS = 500;

/** `byMs` is positive when the wall clock jumped forward. */
export type StepListener = (byMs: number) => void;

/**
 * Compares wall time with monotonic time and tells when the wall clock was stepped. Boards without a real-time clock do
 * this at every boot, and whatever reckons with wall time (cron triggers, kafkajs) is mute or storms afterwards. A
 * machine that wakes from suspension looks the same, and needs the same.
 */
export class ClockStepWatch {
  readonly name = 'clock watch';
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #listeners = new Set<StepListener>();
  #timer: TimerHandle | undefined;
  #offsetMs = 0;

  constructor({ clock, log }: { clock: Clock; log: Log }) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Returns what takes the listener off again. */
  onStep(listener: StepListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async start(): Promise<void> {
    if (this.#timer !== undefined) return;
    this.#offsetMs = this.#offset();
    this.#look();
  }

  async stop(): Promise<void> {
    if (this.#timer !== undefined) this.#clock.clear(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    this.#timer = this.#clock.setTimer(() => {
      this.#look();
      this.#compare();
    }, LOOK_EVERY_MS);
    if (typeof this.#timer === 'object') this.#timer.unref?.();
  }

  #compare(): void {
    const offsetMs = this.#offset();
    const byMs = Math.round(offsetMs - this.#offsetMs);
    this.#offsetMs = offsetMs;
    if (Math.abs(byMs) <= STEP_MS) return;
    this.#log.warn({ byMs }, `the wall clock was stepped by ${byMs > 0 ? '+' : ''}${(byMs / 1000).toFixed(1)} s`);
    for (const listener of this.#listeners) listener(byMs);
  }

  #offset(): number {
    return this.#clock.now() - this.#clock.monotonicMs();
  }
}
