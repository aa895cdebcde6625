import type { Clock } from './clock.ts';
import { withDeadline } from './deadline.ts';
import { reasonOf } from './errors.ts';
import type { Log } from './log.ts';

/** What starts and stops. A constructor does nothing; after stop() resolves nothing more is emitted. */
export interface Service {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts services in order and stops them in the reverse of it, each under a deadline; one that fails to stop never
 * keeps the next from stopping. stop() is idempotent: later calls await the first.
 */
export class ServiceGroup implements Service {
  readonly name: string;
  readonly #services: Service[];
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #stopLimitMs: number;
  #started: Service[] = [];
  #stopping: Promise<void> | undefined;

  constructor(name: string, services: Service[], clock: Clock, log: Log, stopLimitMs = 5000) {
    this.name = name;
    this.#services = services;
    this.#clock = clock;
    this.#log = log;
    this.#stopLimitMs = stopLimitMs;
  }

  async start(): Promise<void> {
    for (const service of this.#services) {
      this.#started.push(service);
      try {
        await service.start();
      } catch (error) {
        await this.stop();
        throw error;
      }
      if (this.#stopping) return;
    }
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stopAll();
    return this.#stopping;
  }

  async #stopAll(): Promise<void> {
    for (const service of this.#started.toReversed()) {
      try {
        await withDeadline(service.stop(), this.#stopLimitMs, `stopping ${service.name}`, this.#clock);
      } catch (error) {
        this.#log.warn({ service: service.name }, `${service.name} did not stop cleanly: ${reasonOf(error)}`);
      }
    }
  }
}
