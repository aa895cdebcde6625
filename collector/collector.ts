import type { Clock } from '../lib/clock.ts';
import { ClockStepWatch } from '../lib/clock-step.ts';
import { ErichtError, reasonOf } from '../lib/errors.ts';
import type { Service } from '../lib/lifecycle.ts';
import type { Log } from '../lib/log.ts';
import { Rare } from '../lib/rare.ts';
import { AsideKeeper } from './aside/keeper.ts';
import { Hold } from './hold.ts';
import { type Job, Jobs } from './jobs.ts';
import { Placer } from './place.ts';
import { type CollectorCounts, PartitionWork, type Workshop } from './process.ts';
import type { RecordSource, SourceHandlers, SourcePartition, SourceStatus } from './source.ts';
import type { AsideStore, Retention, TelemetryStore } from './store/port.ts';
import { Writer } from './write.ts';

export interface CollectorOptions {
  source: RecordSource;
  /** Started and stopped by the collector. */
  store: TelemetryStore;
  /** Started and stopped by its owner, and there for as long as the collector runs. */
  aside: AsideStore;
  retention: Retention;
  /** What the store wants done now and then. */
  jobs?: Job[];
  clock: Clock;
  log: Log;
}

export interface CollectorStatus {
  state: 'stopped' | 'starting' | 'running' | 'stopping';
  /** What the collector waits for: a store, a broker, or the place for dead letters. */
  problem?: ErichtError;
  store: { kind: TelemetryStore['kind']; reachable: boolean; problem?: string };
  source: SourceStatus;
}

/** Batches under way may end for this long after stop() was called. */
const FINISH_LIMIT_MS = 2000;

/**
 * Takes records from a source and puts them into a store: decode, place in time, write, commit. It is the same for the
 * topics of a cluster and for the link within one process.
 *
 * A record is acknowledged only after its row or dead letter is durable. Whatever is away is waited for.
 */
export class Collector implements Service {
  readonly name = 'collector';
  readonly #options: CollectorOptions;
  readonly #starting: Hold;
  readonly #storeHold: Hold;
  readonly #asideHold: Hold;
  readonly #commitHold: Hold;
  readonly #steps: ClockStepWatch;
  readonly #jobs: Jobs;
  readonly #works = new Map<SourcePartition, PartitionWork>();
  readonly #shop: Workshop;
  /** No further attempt at anything. */
  readonly #noRetry = new AbortController();
  #state: CollectorStatus['state'] = 'stopped';
  #storeIsUp = false;
  #started: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: CollectorOptions) {
    const { store, aside, clock, log, retention, jobs = [] } = options;
    this.#options = options;
    this.#starting = new Hold('starting the collector', clock, log);
    this.#storeHold = new Hold('storing reports', clock, log);
    this.#asideHold = new Hold('keeping dead letters', clock, log);
    this.#commitHold = new Hold('committing', clock, log);
    this.#steps = new ClockStepWatch({ clock, log });
    this.#jobs = new Jobs({ jobs, clock, log });
    const rare = new Rare(clock);
    this.#shop = {
      writer: new Writer({ store, hold: this.#storeHold, log, rare }),
      asides: new AsideKeeper({ aside, hold: this.#asideHold, log, rare }),
      placer: new Placer(store, retention.rawMs),
      reader: store,
      commitHold: this.#commitHold,
      counts: { received: 0, redelivered: 0, stored: 0, deadLettered: 0, overflowed: 0 },
      clock,
      stopping: this.#noRetry.signal,
    };
  }

  /**
   * Resolves when the collector runs, however long the store or Kafka is away until then: status() tells why it
   * waits, and stop() ends the waiting. Rejects when waiting can't help: SCHEMA_TOO_NEW, KAFKA_TOPIC_UNSUITABLE and
   * other final errors.
   */
  start(): Promise<void> {
    if (this.#stopping) return Promise.reject(new ErichtError('STOPPED', { what: 'the collector was stopped' }));
    this.#started ??= this.#start();
    return this.#started;
  }

  /**
   * Lets what was taken in be stored and committed, then lets go of the source and the store. What a store that is
   * away keeps from being stored is not acknowledged, so it comes again.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  counts(): CollectorCounts {
    return { ...this.#shop.counts };
  }

  status(): CollectorStatus {
    const source = this.#options.source.status();
    const storing = this.#storeHold.problem;
    const problem =
      this.#starting.problem ?? storing ?? this.#asideHold.problem ?? this.#commitHold.problem ?? source.problem;
    const storeProblem = storing ?? (this.#storeIsUp ? undefined : this.#starting.problem);
    return {
      state: this.#state,
      ...(problem && { problem }),
      store: {
        kind: this.#options.store.kind,
        reachable: this.#storeIsUp && storing === undefined,
        ...(storeProblem && { problem: storeProblem.message }),
      },
      source,
    };
  }

  async #start(): Promise<void> {
    const { store, source } = this.#options;
    this.#state = 'starting';
    const patiently = { signal: this.#noRetry.signal, isFinal: (error: ErichtError) => !error.retryable };
    await this.#steps.start();
    this.#steps.onStep(() => {
      this.#jobs.clockStepped();
      source.clockStepped();
    });
    await this.#starting.until(() => store.start(), patiently);
    this.#storeIsUp = true;
    await this.#jobs.start();
    await this.#starting.until(() => source.start(this.#handlers), patiently);
    if (this.#state === 'starting') this.#state = 'running';
  }

  readonly #handlers: SourceHandlers = {
    assigned: (partition) => {
      this.#works.set(partition, new PartitionWork(partition, this.#shop));
    },
    revoked: (partition) => {
      this.#works.delete(partition);
    },
    batch: async (batch, partition) => {
      try {
        await this.#works.get(partition)?.batch(batch);
      } catch (error) {
        // STOPPED: the assignment or the collector ended while the batch was held, and it comes again. Whatever else
        // gets here is a defect, and the source hands the batch over again.
        if (!(error instanceof ErichtError && error.code === 'STOPPED')) throw error;
      }
    },
  };

  async #stop(): Promise<void> {
    const { clock, source, store } = this.#options;
    const waitsFor = this.status().problem;
    this.#state = 'stopping';
    // What already waits would not get done in the time that a stop may take.
    const timer = waitsFor === undefined ? clock.setTimer(() => this.#noRetry.abort(), FINISH_LIMIT_MS) : undefined;
    if (timer === undefined) this.#noRetry.abort();
    await this.#each('the clock watch', () => this.#steps.stop());
    await this.#each(source.name, () => source.stop());
    await this.#each('the jobs', () => this.#jobs.stop());
    if (timer !== undefined) clock.clear(timer);
    this.#noRetry.abort();
    // A start under way has seen the signal; what it opened last is closed below.
    await this.#started?.catch(() => {});
    await this.#each(`the ${store.kind} store`, () => store.stop());
    this.#works.clear();
    this.#state = 'stopped';
  }

  /** One part that fails to stop never keeps the next from stopping. */
  async #each(what: string, stop: () => Promise<void>): Promise<void> {
    try {
      await stop();
    } catch (error) {
      this.#options.log.warn({}, `${what} did not stop cleanly: ${reasonOf(error)}`);
    }
  }
}
