import { createTask, type Logger, type ScheduledTask, validate } from 'node-cron';
import type { Clock, TimerHandle } from './clock.ts';
import { ErichtError } from './errors.ts';

/** What fires by the wall clock. */
export interface CronTrigger {
  stop(): void;
}

const STEP_MS = 2000;
/** node-cron looks at the wall clock once a day at least, so its timers are never longer than this. */
const LONGEST_TIMER_MS = 86_400_000;
/** The look comes this much before node-cron's own. */
const AHEAD_MS = 2;

/**
 * Calls `fire` at the times of a cron expression (UTC; five fields, or six with seconds first) until stopped. It only
 * triggers: what must not be missed or run twice works from what is stored. After a step of the wall clock the caller
 * makes a new trigger, because node-cron waits for the old time after a step back. Throws CONFIG_INVALID if the
 * expression is none.
 */
export function startCron(expression: string, fire: () => void, clock: Clock): CronTrigger {
  if (!validate(expression)) {
    throw new ErichtError('CONFIG_INVALID', {
      what: `"${expression}" is not a cron expression`,
      next: 'write minute, hour, day of month, month and day of week, such as "*/5 * * * *"',
    });
  }
  const task = new GuardedTask(expression, fire, clock);
  task.start();
  return task;
}

/**
 * When node-cron finds that the wall clock has passed many of its times, it lists them all: 300 days of minutes block
 * the process for more than a minute. So the clock is looked at just before node-cron does, and a task that slept
 * through a step is replaced before it wakes.
 */
class GuardedTask implements CronTrigger {
  readonly #expression: string;
  readonly #fire: () => void;
  readonly #clock: Clock;
  #task: ScheduledTask | undefined;
  #guard: TimerHandle | undefined;

  constructor(expression: string, fire: () => void, clock: Clock) {
    this.#expression = expression;
    this.#fire = fire;
    this.#clock = clock;
  }

  start(): void {
    void this.#task?.destroy();
    const options = { timezone: 'UTC', logger: mute, suppressMissedWarning: true, unref: true };
    this.#task = createTask(this.#expression, () => this.#fire(), options);
    void this.#task.start();
    this.#watch(this.#task);
  }

  stop(): void {
    if (this.#guard !== undefined) this.#clock.clear(this.#guard);
    void this.#task?.destroy();
  }

  #watch(task: ScheduledTask): void {
    const offsetMs = this.#offset();
    const delayMs = Math.min(LONGEST_TIMER_MS, task.msToNext() ?? LONGEST_TIMER_MS) - AHEAD_MS;
    const look = () => (Math.abs(this.#offset() - offsetMs) > STEP_MS ? this.start() : this.#watch(task));
    this.#guard = this.#clock.setTimer(look, Math.max(1, delayMs));
    if (typeof this.#guard === 'object') this.#guard.unref?.();
  }

  #offset(): number {
    return this.#clock.now() - this.#clock.monotonicMs();
  }
}

/** node-cron writes to the console by itself; what is worth a line the caller says. */
const mute: Logger = { info() {}, warn() {}, error() {}, debug() {} };
