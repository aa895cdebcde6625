import { Backoff } from '../../lib/backoff.ts';
import { type Clock, sleep } from '../../lib/clock.ts';
import { reasonOf } from '../../lib/errors.ts';
import type { Service } from '../../lib/lifecycle.ts';
import type { Log } from '../../lib/log.ts';

export interface PatientStoreOptions {
  store: { start(): Promise<void>; stop(): Promise<void> };
  clock: Clock;
  log: Log;
}

/**
 * Opens a store that is only read, for as long as it takes: a page is up before its store is, and before the collector
 * has made the tables. Reading from it fails until then, and the page says so.
 */
export class PatientStore implements Service {
  readonly name = 'store';
  readonly #options: PatientStoreOptions;
  readonly #stopped = new AbortController();
  #opening: Promise<void> | undefined;
  #problem: string | undefined;

  constructor(options: PatientStoreOptions) {
    this.#options = options;
  }

  /** Why it is not open yet. */
  get problem(): string | undefined {
    return this.#problem;
  }

  async start(): Promise<void> {
    this.#opening = this.#open();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#opening;
    await this.#options.store.stop();
  }

  async #open(): Promise<void> {
    const { store, clock, log } = this.#options;
    const { signal } = this.#stopped;
    const backoff = new Backoff({ baseMs: 500, maxMs: 5000 });
    while (!signal.aborted) {
      try {
        await store.start();
        if (this.#problem !== undefined) log.info({}, 'the store can be read');
        this.#problem = undefined;
        return;
      } catch (error) {
        // Each reason once: a store that answers at last may still lack its tables.
        const problem = reasonOf(error);
        if (problem !== this.#problem) log.warn({}, `the store can't be read yet: ${problem}`);
        this.#problem = problem;
        await sleep(clock, 500 + backoff.nextDelayMs(), signal);
      }
    }
  }
}
