import { spawn } from 'node:child_process';
import type { Clock, TimerHandle } from '../lib/clock.ts';
import { reasonOf } from '../lib/errors.ts';
import type { Service } from '../lib/lifecycle.ts';
import type { Log } from '../lib/log.ts';
import { Rare } from '../lib/rare.ts';

const TOLD_WITHIN_MS = 10_000;

/** systemd restarts what hasn't been heard for its limit: two of three messages may come late. */
const MESSAGES_PER_LIMIT = 3;

/** Brings words such as READY=1 to the service manager; rejects when they can't be brought. */
export type Notify = (word: string) => Promise<void>;

export interface WatchdogOptions {
  /** How many reports this run has made. */
  rounds: () => number;
  intervalMs: number;
  /** The agent is taken for stuck when it isn't heard for so long; undefined where nobody watches. */
  limitMs: number | undefined;
  notify: Notify;
  clock: Clock;
  log: Log;
}

/**
 * Tells systemd that the agent runs, and then, three times in its limit, that reports are still being made. A loop that is
 * stuck, in code of ours or in the kernel, is not told as alive, and is restarted.
 */
export class Watchdog implements Service {
  readonly name = 'watchdog';
  readonly #options: WatchdogOptions;
  readonly #rare: Rare;
  #rounds = 0;
  #advancedMs = 0;
  #timer: TimerHandle | undefined;
  #stopped = false;

  constructor(options: WatchdogOptions) {
    this.#options = options;
    this.#rare = new Rare(options.clock);
  }

  /** For an agent that has started. */
  async start(): Promise<void> {
    this.#rounds = this.#options.rounds();
    this.#advancedMs = this.#options.clock.monotonicMs();
    await this.#tell('READY=1');
    this.#arm();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#timer !== undefined) this.#options.clock.clear(this.#timer);
    this.#timer = undefined;
  }

  #arm(): void {
    const { limitMs, clock } = this.#options;
    if (limitMs === undefined || this.#stopped) return;
    this.#timer = clock.setTimer(() => void this.#look(), limitMs / MESSAGES_PER_LIMIT);
  }

  async #look(): Promise<void> {
    this.#arm();
    const { rounds, intervalMs, clock, log } = this.#options;
    const now = clock.monotonicMs();
    const made = rounds();
    if (made !== this.#rounds) this.#advancedMs = now;
    this.#rounds = made;
    const silentMs = now - this.#advancedMs;
    // Reports may be further apart than messages to systemd.
    if (silentMs <= 2 * intervalMs) return this.#tell('WATCHDOG=1');
    if (this.#rare.happened('stuck')) {
      log.error({}, `no report was made for ${Math.round(silentMs / 1000)} s: systemd will restart the agent`);
    }
  }

  async #tell(word: string): Promise<void> {
    const { notify, log } = this.#options;
    try {
      await notify(word);
      this.#rare.over('notify');
    } catch (error) {
      if (!this.#rare.happened('notify')) return;
      log.warn({}, `cannot tell systemd that the agent runs, which will restart it: ${reasonOf(error)}`);
    }
  }
}

/**
 * The watchdog that systemd asked for in the environment of its service; undefined where the agent was started by
 * something else. WATCHDOG_USEC is in microseconds.
 */
export function watchdogOf(
  environment: Record<string, string | undefined>,
  parts: Pick<WatchdogOptions, 'rounds' | 'intervalMs' | 'clock' | 'log'> & { pid: number },
): Watchdog | undefined {
  const { NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID } = environment;
  if (!NOTIFY_SOCKET) return undefined;
  const isMeant = WATCHDOG_PID === undefined || Number(WATCHDOG_PID) === parts.pid;
  const limitMs = isMeant ? Number(WATCHDOG_USEC) / 1000 : Number.NaN;
  return new Watchdog({ ...parts, limitMs: limitMs > 0 ? limitMs : undefined, notify: systemdNotify(parts.clock) });
}

/** By systemd's own program: Node has no datagram sockets of this kind. */
function systemdNotify(clock: Clock): Notify {
  return (word) =>
    new Promise((resolve, reject) => {
      const child = spawn('systemd-notify', [word], { stdio: 'ignore' });
      const timer = clock.setTimer(() => child.kill('SIGKILL'), TOLD_WITHIN_MS);
      const end = (error?: Error) => {
        clock.clear(timer);
        if (error) reject(error);
        else resolve();
      };
      child.once('error', end);
      child.once('close', (code, signal) => {
        end(code === 0 ? undefined : new Error(`systemd-notify ended with ${signal ?? code}`));
      });
    });
}
