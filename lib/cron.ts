import { createTask, type Logger, type ScheduledTask, validate } from 'node-cron';
import type { Clock, TimerHandle } from './clock.ts';
import { ErichtError } from './errors.ts';

/** What fires by the wall clock. */
export interface CronTrigger {
  stop(): void;
}

/** The wall clock is looked at this often, so that no step keeps a trigger waiting for longer. */
const LONGEST_WAIT_MS = 60_000;

/**
 * Calls `fire` at the times of a cron expression (UTC; five fields, or six with seconds first) until stopped; for times
 * that went by while the process slept or the clock was stepped, once. It only triggers: what must not be missed or run
 * twice works from what is stored. After a step of the wall clock a new trigger waits for the right time at once, an
 * old one within a minute. Throws CONFIG_INVALID if the expression is none.
 */
export function startCron(expression: string, fire: () => void, clock: Clock): CronTrigger {
  if (!validate(expression)) {
    throw new ErichtError('CONFIG_INVALID', {
      what: `"${expression}" is not a cron expression`,
      next: 'write minute, hour, day of month, month and day of week, such as "*/5 * * * *"',
    });
  }
  const trigger = new Trigger(
    createTask(expression, () => {}, { timezone: 'UTC', logger: mute }),
    fire,
    clock,
  );
  trigger.start();
  return trigger;
}

/**
 * Waits for the times that node-cron reckons. Its own waiting is not used: when it finds that the wall clock has passed
 * many of its times it goes through them all, and 300 days of minutes block the process for more than a minute; after
 * a step back it is mute until the old time.
 */
class Trigger implements CronTrigger {
  readonly #times: ScheduledTask;
  readonly #fire: () => void;
  readonly #clock: Clock;
  #timer: TimerHandle | undefined;

  /** `times` is never started. */
  constructor(times: ScheduledTask, fire: () => void, clock: Clock) {
    this.#times = times;
    this.#fire = fire;
    this.#clock = clock;
  }

  start(): void {
    this.#waitFor(this.#next());
  }

  stop(): void {
    if (this.#timer !== undefined) this.#clock.clear(this.#timer);
    void this.#times.destroy();
  }

  #waitFor(dueAt: number): void {
    const waitMs = Math.min(LONGEST_WAIT_MS, Math.max(1, dueAt - this.#clock.now()));
    this.#timer = this.#clock.setTimer(() => {
      const isDue = this.#clock.now() >= dueAt;
      const next = this.#next();
      // The next wait begins before the call, whatever becomes of that. An earlier time: the clock was set back.
      this.#waitFor(isDue ? next : Math.min(dueAt, next));
      if (isDue) this.#fire();
    }, waitMs);
    if (typeof this.#timer === 'object') this.#timer.unref?.();
  }

  /** Epoch milliseconds. */
  #next(): number {
    return this.#times.getNextRuns(1)[0]?.getTime() ?? Number.POSITIVE_INFINITY;
  }
}

/** node-cron writes to the console by itself; what is worth a line the caller says. */
const mute: Logger = { info() {}, warn() {}, error() {}, debug() {} };
