import { Worker } from 'node:worker_threads';
import type { Clock } from '../../../lib/clock.ts';
import { ErichtError, isRetryable, reasonOf } from '../../../lib/errors.ts';
import { errorOf, type ThreadReply, type ThreadSettings } from './protocol.ts';

/** Calls that wait for an answer at once; beyond it the thread is too slow for its callers. */
const MAX_PENDING = 256;
const OPEN_LIMIT_MS = 20_000;

interface Pending {
  resolve(result: unknown): void;
  reject(error: ErichtError): void;
}

/**
 * A worker thread with the methods of `T`. Calls are answered in order; each has a deadline and their number a bound.
 * A thread that dies is made anew by the next call.
 */
export class Thread<T> {
  readonly #settings: ThreadSettings;
  readonly #clock: Clock;
  readonly #openWith: unknown[];
  readonly #pending = new Map<number, Pending>();
  #worker: Worker | undefined;
  #opened: Promise<void> | undefined;
  #closed = false;
  #lastId = 0;

  /** `openWith`: the arguments of the worker's open(). */
  constructor(settings: ThreadSettings, clock: Clock, openWith: unknown[] = []) {
    this.#settings = settings;
    this.#clock = clock;
    this.#openWith = openWith;
  }

  /** Starts the thread and opens its connection; rejects with what open() throws. */
  async open(): Promise<void> {
    this.#closed = false;
    this.#opened ??= this.#spawn();
    try {
      await this.#opened;
    } catch (error) {
      this.#opened = undefined;
      throw error;
    }
  }

  async call<K extends keyof T & string>(
    method: K,
    limitMs: number,
    ...args: T[K] extends (...a: infer A) => unknown ? A : never
  ): Promise<T[K] extends (...a: never[]) => infer R ? R : never> {
    if (this.#closed) throw new ErichtError('STOPPED', { what: `the store in ${this.#settings.directory} is closed` });
    await this.open();
    // The worker runs the very method that `T` names, so its answer is of that type.
    return (await this.#post(method, limitMs, args)) as never;
  }

  /** Finishes the call under way, closes the connection and ends the thread. */
  async close(limitMs: number): Promise<void> {
    this.#closed = true;
    const worker = this.#worker;
    if (!worker) return;
    const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
    try {
      await this.#post('close', limitMs, []);
      await ended;
    } catch (error) {
      await worker.terminate();
      if (!isRetryable(error)) throw error;
    }
  }

  async #spawn(): Promise<void> {
    // The thread needs none of the process's own flags, such as a test runner's loaders.
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: this.#settings, execArgv: [] });
    this.#worker = worker;
    let cause = 'it ended';
    worker.on('message', (reply: ThreadReply) => this.#settle(reply));
    worker.on('error', (error) => {
      cause = reasonOf(error);
    });
    worker.on('exit', () => this.#died(worker, cause));
    try {
      await this.#post('open', OPEN_LIMIT_MS, this.#openWith);
    } catch (error) {
      await worker.terminate();
      throw error;
    }
  }

  #post(method: string, limitMs: number, args: unknown[]): Promise<unknown> {
    const worker = this.#worker;
    if (!worker || this.#pending.size >= MAX_PENDING) {
      const why = worker ? `${this.#pending.size} calls wait for an answer` : 'its thread has ended';
      return Promise.reject(new ErichtError('STORE_OVERLOADED', { what: this.#cannot(method), why }));
    }
    this.#lastId += 1;
    const id = this.#lastId;
    return new Promise((resolve, reject) => {
      const timer = this.#clock.setTimer(() => {
        this.#pending.delete(id);
        reject(
          new ErichtError('STORE_OVERLOADED', { what: this.#cannot(method), why: `no answer within ${limitMs} ms` }),
        );
      }, limitMs);
      const settle =
        <V>(then: (value: V) => void) =>
        (value: V) => {
          this.#clock.clear(timer);
          this.#pending.delete(id);
          then(value);
        };
      this.#pending.set(id, { resolve: settle(resolve), reject: settle(reject) });
      worker.postMessage({ id, method, args });
    });
  }

  #settle(reply: ThreadReply): void {
    const pending = this.#pending.get(reply.id);
    if ('error' in reply) pending?.reject(errorOf(reply.error));
    else pending?.resolve(reply.result);
  }

  #died(worker: Worker, why: string): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    this.#opened = undefined;
    const error = new ErichtError('STORE_OVERLOADED', { what: "the store's thread ended", why });
    for (const pending of [...this.#pending.values()]) pending.reject(error);
  }

  #cannot(method: string): string {
    return `the store in ${this.#settings.directory} does not ${method}`;
  }
}
