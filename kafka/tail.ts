import { randomUUID } from 'node:crypto';
import { Backoff } from '../lib/backoff.ts';
import { type Clock, sleep } from '../lib/clock.ts';
import { withDeadline } from '../lib/deadline.ts';
import { ErichtError, reasonOf, toErichtError } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { KafkaAdmin } from './admin.ts';
import { WatchedConsumer } from './consumer.ts';
import type { FetchedRecord, KafkaSettings } from './types.ts';

export interface TopicTailOptions {
  settings: KafkaSettings;
  /** The group's name is this and a random suffix. */
  groupPrefix: string;
  topics: { topic: string; from: 'end' | 'beginning' }[];
  clock: Clock;
  log: Log;
  /** Called once per record, in the order of its partition. One that throws is logged, and the next record comes. */
  onRecord(record: FetchedRecord): void;
}

/** How long start() waits for the answer where the ends are; later ones are taken as they come. */
const START_LIMIT_MS = 5000;
const DELETE_LIMIT_MS = 1000;

/**
 * Follows whole topics for one process: a group of its own, nothing committed, the group deleted at the stop. Where it
 * was is kept in memory, so a rebuilt consumer goes on there and nothing is missed or seen twice.
 */
export class TopicTail {
  readonly name = 'Kafka tail';
  readonly #options: TopicTailOptions;
  readonly #admin: KafkaAdmin;
  readonly #consumer: WatchedConsumer;
  readonly #groupId: string;
  readonly #positions = new Map<string, string>();
  readonly #stopped = new AbortController();
  /** Why the ends could not be asked for yet. */
  #startProblem: ErichtError | undefined;
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: TopicTailOptions) {
    this.#options = options;
    const { settings, clock, log, topics, groupPrefix } = options;
    this.#groupId = `${groupPrefix}${randomUUID().slice(0, 8)}`;
    this.#admin = new KafkaAdmin({ settings, clock, log, callTimeoutMs: START_LIMIT_MS });
    this.#consumer = new WatchedConsumer({
      settings,
      groupId: this.#groupId,
      topics: topics.map(({ topic }) => topic),
      clock,
      log,
      startAt: (topic, partition) => this.#positions.get(`${topic}/${partition}`),
      onPosition: (topic, partition, next) => this.#positions.set(`${topic}/${partition}`, next),
      handlers: { assigned() {}, revoked() {}, batch: async ({ records }) => this.#deliver(records) },
    });
  }

  /**
   * With Kafka there, every record appended after this resolves is delivered. Without, it resolves after 5 s, goes on
   * trying, and the end is where it is once Kafka answers.
   */
  async start(): Promise<void> {
    this.#starting ??= this.#startConsumer();
    // The limit only ends the waiting: finding the ends goes on beside.
    await Promise.race([this.#starting, sleep(this.#options.clock, START_LIMIT_MS, this.#stopped.signal)]);
  }

  /** Idempotent; done within about 4 s even if Kafka is frozen. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** Whether all partitions can be read at present: their leaders answer fetches. */
  readable(): boolean {
    return this.#consumer.readable();
  }

  /** Why nothing can be read at present, as far as it is known. */
  problem(): ErichtError | undefined {
    if (this.#startProblem) return this.#startProblem;
    const { state, lastError } = this.#consumer.status();
    return state === 'rebuilding' ? lastError : undefined;
  }

  /** Replaces the consumer, as after a step of the wall clock. */
  rebuild(reason: string): void {
    this.#consumer.rebuild(reason);
  }

  async #stop(): Promise<void> {
    const { clock, log } = this.#options;
    this.#stopped.abort();
    await this.#consumer.stop();
    try {
      await withDeadline(this.#admin.deleteGroup(this.#groupId), DELETE_LIMIT_MS, 'deleting the group', clock);
    } catch (error) {
      // Kafka forgets a group without members and offsets by itself.
      log.debug({ groupId: this.#groupId }, `the group was left behind: ${reasonOf(error)}`);
    }
    await this.#admin.stop();
  }

  async #startConsumer(): Promise<void> {
    const { clock, topics, log } = this.#options;
    const backoff = new Backoff({ baseMs: 500, maxMs: 5000 });
    const open = topics.filter(({ from }) => from === 'end').map(({ topic }) => topic);
    while (open.length > 0 && !this.#stopped.signal.aborted) {
      try {
        await this.#findEnd(open[0]!);
        open.shift();
      } catch (thrown) {
        const error = toErichtError(thrown);
        if (error.code !== this.#startProblem?.code) log.warn({ code: error.code }, error.message);
        this.#startProblem = error;
        await sleep(clock, 100 + backoff.nextDelayMs(), this.#stopped.signal);
      }
    }
    if (this.#stopped.signal.aborted) return;
    if (this.#startProblem) log.info({}, 'Kafka answers');
    this.#startProblem = undefined;
    await this.#consumer.start();
  }

  async #findEnd(topic: string): Promise<void> {
    try {
      for (const { partition, high } of await this.#admin.endOffsets(topic)) {
        this.#positions.set(`${topic}/${partition}`, high);
      }
    } catch (error) {
      // A topic that is not there yet ends where it will begin.
      if (!(error instanceof ErichtError) || error.code !== 'KAFKA_TOPIC_MISSING') throw error;
    }
  }

  #deliver(records: FetchedRecord[]): void {
    for (const record of records) {
      if (this.#stopped.signal.aborted) return;
      const { topic, partition, offset } = record;
      this.#positions.set(`${topic}/${partition}`, (BigInt(offset) + 1n).toString());
      try {
        this.#options.onRecord(record);
      } catch (error) {
        this.#options.log.error({ topic, partition, offset }, `a record could not be shown: ${reasonOf(error)}`);
      }
    }
  }
}
