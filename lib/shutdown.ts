import type { Clock } from './clock.ts';
import { reasonOf } from './errors.ts';
import type { Service } from './lifecycle.ts';
import type { Log } from './log.ts';

export interface GuardOptions {
  /** A service that is told to stop does so in order and exits 0; a verb that only looks ends at once with 130. */
  kind: 'service' | 'look';
  clock: Clock;
  log: Log;
  /** How long an orderly stop may take. */
  limitMs?: number;
}

const INTERRUPTED = 130;
const UNEXPECTED = 1;

/**
 * One Ctrl-C can arrive twice: the terminal sends it to npm and to what npm runs, and npm hands it on. Only a later
 * signal is somebody who has lost patience.
 */
const SAME_PRESS_MS = 500;

/**
 * The one place for signals, uncaught errors and the exit of a process. Asked to stop, it aborts `stopRequested`; what
 * runs then stops in order and calls exit(). A second signal, or the deadline, ends the process at once. After an
 * uncaught error the process stops too, with exit code 1: its state is unknown, so carrying on could lose data silently.
 */
export class ProcessGuard {
  readonly #kind: GuardOptions['kind'];
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #stopping = new AbortController();
  #log: Log;
  #failed = false;
  /** The service was run to its end: what is written from here on is an answer. */
  #served = false;
  #signalledMs: number | undefined;

  constructor({ kind, clock, log, limitMs = 10_000 }: GuardOptions) {
    this.#kind = kind;
    this.#clock = clock;
    this.#log = log;
    this.#limitMs = limitMs;
  }

  get stopRequested(): AbortSignal {
    return this.#stopping.signal;
  }

  /** Where it speaks from here on: the log's settings are known later than the first signal can come. */
  useLog(log: Log): void {
    this.#log = log;
  }

  install(): void {
    // SIGHUP: the terminal was closed, or the connection to it broke.
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => this.#signalled());
    process.on('uncaughtException', (error) => this.#crashed(error));
    process.on('unhandledRejection', (reason) => this.#crashed(reason));
    process.stdout.on('error', (error: NodeJS.ErrnoException) => this.#outputFailed(error));
    process.stderr.on('error', () => {
      // Nobody is left to tell: a closed stderr must not keep a service from its work.
    });
  }

  /** Starts `service`, waits until a stop is asked for, and stops it. A failed start is stopped and thrown. */
  async run(service: Service, until?: Promise<unknown>): Promise<void> {
    const starting = service.start();
    try {
      await Promise.race([starting, this.stopped()]);
      await Promise.race([until ?? this.stopped(), this.stopped()]);
    } finally {
      // A start that is given up half-way may reject later, and so may what is no longer waited for.
      starting.catch(() => {});
      until?.catch(() => {});
      await service.stop();
      this.#served = true;
    }
  }

  /** Resolves when a stop is asked for. */
  stopped(): Promise<void> {
    const { signal } = this.#stopping;
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
  }

  /** Ends the process after what was written has left it; an uncaught error before makes any code 1. */
  async exit(code: number): Promise<never> {
    // What a synchronous write met is told one turn later.
    await new Promise<void>((resolve) => this.#clock.setTimer(resolve, 0));
    await Promise.race([
      Promise.all([flushed(process.stdout), flushed(process.stderr)]),
      new Promise<void>((resolve) => this.#clock.setTimer(resolve, 500)),
    ]);
    process.exit(this.#failed ? UNEXPECTED : code);
  }

  #signalled(): void {
    const now = this.#clock.monotonicMs();
    const isSecond = this.#signalledMs !== undefined && now - this.#signalledMs > SAME_PRESS_MS;
    if (this.#kind === 'look' || isSecond) process.exit(INTERRUPTED);
    this.#signalledMs ??= now;
    this.#requestStop();
  }

  #crashed(thrown: unknown): void {
    this.#log.error({ err: thrown }, `stopping after an error that nobody expected: ${reasonOf(thrown)}`);
    if (this.#kind === 'look' || this.#failed) process.exit(UNEXPECTED);
    this.#failed = true;
    this.#requestStop();
  }

  /**
   * A reader that went away (`ericht ... | head`) ends the work quietly. A log that can't be written, as on a full disk,
   * must not keep a service from its work; an answer that can't be written is no success.
   */
  #outputFailed(error: NodeJS.ErrnoException): void {
    if (this.#kind === 'look') process.exit(error.code === 'EPIPE' ? 0 : UNEXPECTED);
    if (error.code === 'EPIPE') this.#requestStop();
    else if (this.#served) this.#failed = true;
  }

  #requestStop(): void {
    if (this.stopRequested.aborted) return;
    this.#stopping.abort();
    const timer = this.#clock.setTimer(() => {
      this.#log.error({}, `did not stop within ${this.#limitMs} ms, ending the process as it is`);
      process.exit(UNEXPECTED);
    }, this.#limitMs);
    if (typeof timer === 'object') timer.unref?.();
  }
}

function flushed(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed || stream.writableEnded || stream.writableLength === 0) resolve();
    else stream.write('', () => resolve());
  });
}
