import { Backoff } from '../lib/backoff.ts';
import { type Clock, sleep } from '../lib/clock.ts';
import { ErichtError, toErichtError } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { Rare } from '../lib/rare.ts';

/**
 * Does work again until it succeeds, with growing pauses: a store or broker that is away holds the work up, it never
 * loses it. One object per thing that can be away, so that many batches that wait for it share one problem and one line
 * in the log per minute.
 */
export class Hold {
  readonly #what: string;
  readonly #clock: Clock;
  readonly #log: Log;
  #waiting = 0;
  #problem: ErichtError | undefined;
  readonly #rare: Rare;

  /** `what` is held up, in words that begin a sentence: "storing reports". */
  constructor(what: string, clock: Clock, log: Log) {
    this.#what = what;
    this.#clock = clock;
    this.#log = log;
    this.#rare = new Rare(clock);
  }

  /** Why work waits right now. */
  get problem(): ErichtError | undefined {
    return this.#waiting > 0 ? this.#problem : undefined;
  }

  /**
   * Resolves with the result, or rejects with the error that `isFinal` picks out. Once `signal` is aborted no further
   * attempt is made and it rejects with STOPPED; an attempt under way is awaited.
   */
  async until<T>(
    work: () => Promise<T>,
    { signal, isFinal }: { signal: AbortSignal; isFinal: (error: ErichtError, attempts: number) => boolean },
  ): Promise<T> {
    const backoff = new Backoff({ baseMs: 100, maxMs: 5000 });
    let waits = false;
    try {
      for (;;) {
        try {
          const result = await work();
          if (waits) this.#over();
          return result;
        } catch (thrown) {
          const error = toErichtError(thrown, `${this.#what} failed`);
          if (isFinal(error, backoff.attempts)) throw error;
          if (!waits) this.#waiting += 1;
          waits = true;
          this.#say(error);
        }
        if (!signal.aborted) await sleep(this.#clock, backoff.nextDelayMs(), signal);
        if (signal.aborted) throw stopped(this.#what, this.#problem);
      }
    } finally {
      if (waits) this.#waiting -= 1;
    }
  }

  #say(error: ErichtError): void {
    this.#problem = error;
    if (this.#rare.happened(error.code) === 0) return;
    this.#log.warn({ code: error.code }, `${this.#what} waits: ${error.message}`);
  }

  #over(): void {
    const code = this.#problem?.code;
    if (code !== undefined && this.#rare.over(code)) this.#log.info({}, `${this.#what} goes on`);
  }
}

function stopped(what: string, problem: ErichtError | undefined): ErichtError {
  const why = problem === undefined ? 'the collector is stopping' : `the collector is stopping, and ${problem.message}`;
  return new ErichtError('STOPPED', { what: `${what} was given up`, why, cause: problem });
}
