import { KafkaAdmin } from '../../kafka/admin.ts';
import { WatchedConsumer } from '../../kafka/consumer.ts';
import type { KafkaSettings, PartitionAssignment } from '../../kafka/types.ts';
import { type Clock, sleep, type TimerHandle } from '../../lib/clock.ts';
import { type ErichtError, toErichtError } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { topicSpecs } from '../../telemetry/topics.ts';
import type { RecordSource, SourceHandlers, SourcePartition, SourceRole, SourceStatus } from '../source.ts';

export interface KafkaSourceOptions {
  settings: KafkaSettings;
  /** Collectors with the same group share the partitions. */
  groupId: string;
  topicPrefix?: string;
  clock: Clock;
  log: Log;
  /** A collector that is silent for this long loses its partitions; default as in WatchedConsumer. */
  sessionTimeoutMs?: number;
}

const LAG_EVERY_MS = 5000;

/** Batches under way may end for this long when the source is stopped; the collector gives up waiting earlier. */
const FINISH_LIMIT_MS = 2500;

/** The reports and facts topics as the source of a collector. Makes the topics where they are missing. */
export class KafkaSource implements RecordSource {
  readonly name = 'Kafka source';
  readonly #options: KafkaSourceOptions;
  readonly #roles: Map<string, SourceRole>;
  readonly #admin: KafkaAdmin;
  readonly #assigned = new Map<PartitionAssignment, SourcePartition>();
  readonly #underWay = new Set<Promise<void>>();
  #consumer: WatchedConsumer | undefined;
  readonly #givenUp = Promise.withResolvers<void>();
  #isStopping = false;
  #lagTimer: TimerHandle | undefined;
  #lag: number | undefined;
  #adminProblem: ErichtError | undefined;

  constructor(options: KafkaSourceOptions) {
    this.#options = options;
    const { reports, facts } = topicSpecs(options.topicPrefix);
    this.#roles = new Map([
      [reports.name, 'reports'],
      [facts.name, 'facts'],
    ]);
    this.#admin = new KafkaAdmin({ settings: options.settings, clock: options.clock, log: options.log });
  }

  async start(handlers: SourceHandlers): Promise<void> {
    const { settings, groupId, topicPrefix, clock, log, sessionTimeoutMs } = this.#options;
    await this.#admin.start();
    await this.#admin.ensureTopics(Object.values(topicSpecs(topicPrefix)));
    if (this.#isStopping) return;
    this.#consumer = new WatchedConsumer({
      settings,
      groupId,
      topics: [...this.#roles.keys()],
      clock,
      log,
      ...(sessionTimeoutMs !== undefined && { sessionTimeoutMs }),
      handlers: {
        assigned: (assignment) => {
          const partition = this.#partition(assignment);
          this.#assigned.set(assignment, partition);
          handlers.assigned(partition);
        },
        revoked: (topic, number) => {
          for (const [assignment, partition] of this.#assigned) {
            if (assignment.topic !== topic || assignment.partition !== number || !assignment.signal.aborted) continue;
            this.#assigned.delete(assignment);
            handlers.revoked(partition);
          }
        },
        batch: async ({ records, highWatermark }, assignment) => {
          const partition = this.#assigned.get(assignment);
          if (partition === undefined || this.#isStopping) return;
          const work = handlers.batch({ records, highWatermark }, partition);
          this.#underWay.add(work);
          const done = work.finally(() => this.#underWay.delete(work));
          // What is given up was not committed; the consumer need not wait for a store that is frozen.
          await Promise.race([done, this.#givenUp.promise]);
        },
      },
    });
    await this.#consumer.start();
    this.#watchLag();
  }

  /** Takes no further batch in, lets those under way be committed, and only then leaves the group. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    const { clock } = this.#options;
    if (this.#lagTimer !== undefined) clock.clear(this.#lagTimer);
    const finished = Promise.allSettled(this.#underWay);
    const limit = new AbortController();
    await Promise.race([finished.then(() => limit.abort()), sleep(clock, FINISH_LIMIT_MS, limit.signal)]);
    this.#givenUp.resolve();
    await this.#consumer?.stop();
    await this.#admin.stop();
  }

  clockStepped(): void {
    this.#consumer?.rebuild('the wall clock was stepped');
  }

  status(): SourceStatus {
    const status = this.#consumer?.status();
    const readable = this.#consumer?.readable() ?? false;
    const problem = readable ? undefined : status?.state === 'running' ? this.#adminProblem : status?.lastError;
    return {
      readable,
      ...(problem && { problem }),
      ...(this.#lag !== undefined && { lag: this.#lag }),
      rebuilds: status?.rebuilds ?? 0,
    };
  }

  #partition(assignment: PartitionAssignment): SourcePartition {
    const { topic, partition, signal } = assignment;
    const role = this.#roles.get(topic) ?? 'reports';
    return { role, topic, partition, signal, commit: (nextOffset) => assignment.commit(nextOffset) };
  }

  /** Asks the broker, because a batch that is held sees nothing of what is appended meanwhile. */
  #watchLag(): void {
    this.#lagTimer = this.#options.clock.setTimer(async () => {
      await this.#readLag();
      if (!this.#isStopping) this.#watchLag();
    }, LAG_EVERY_MS);
  }

  async #readLag(): Promise<void> {
    try {
      const topics = [...this.#roles.keys()];
      const lags = await Promise.all(topics.map((topic) => this.#admin.lag(this.#options.groupId, topic)));
      this.#lag = lags.every((lag) => lag === undefined)
        ? undefined
        : lags.reduce<number>((sum, lag) => sum + (lag ?? 0), 0);
      this.#adminProblem = undefined;
    } catch (error) {
      this.#lag = undefined;
      this.#adminProblem = toErichtError(error, 'cannot ask Kafka for the lag');
    }
  }
}
