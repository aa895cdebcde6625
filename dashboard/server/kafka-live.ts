import { KafkaAdmin } from '../../kafka/admin.ts';
import { TopicTail } from '../../kafka/tail.ts';
import type { FetchedRecord, KafkaSettings } from '../../kafka/types.ts';
import { type Clock, sleep } from '../../lib/clock.ts';
import { reasonOf } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { decodeFacts, decodeReport } from '../../telemetry/codec.ts';
import { topicSpecs } from '../../telemetry/topics.ts';
import type { LiveHandlers, LiveSource, TransportStatus } from './live-source.ts';

const ASK_EVERY_MS = 3000;
const ASK_LIMIT_MS = 2500;

export interface KafkaLiveOptions {
  settings: KafkaSettings;
  topicPrefix: string;
  /** The collectors' consumer group, whose lag is shown; without it the lag is not known. */
  collectorGroupId?: string | undefined;
  clock: Clock;
  log: Log;
}

/**
 * Live values straight from the topics, in a group of its own: a stopped collector or store takes nothing from the
 * screen. Reports are read from the end, facts from the beginning, because their topic keeps the last of each node.
 */
export class KafkaLive implements LiveSource {
  readonly #options: KafkaLiveOptions;
  readonly #tail: TopicTail;
  readonly #admin: KafkaAdmin;
  readonly #reportsTopic: string;
  readonly #stopped = new AbortController();
  readonly #brokersSeen = new Set<number>();
  #handlers: LiveHandlers | undefined;
  #readable = false;
  #since: number;
  #brokersOnline: number | undefined;
  #collectorLag: number | undefined;

  constructor(options: KafkaLiveOptions) {
    const { settings, topicPrefix, clock, log } = options;
    const { reports, facts } = topicSpecs(topicPrefix);
    this.#options = options;
    this.#reportsTopic = reports.name;
    this.#since = clock.now();
    this.#admin = new KafkaAdmin({ settings, clock, log, callTimeoutMs: ASK_LIMIT_MS });
    this.#tail = new TopicTail({
      settings,
      groupPrefix: `${topicPrefix}dashboard-`,
      topics: [
        { topic: reports.name, from: 'end' },
        { topic: facts.name, from: 'beginning' },
      ],
      clock,
      log,
      onRecord: (record) => this.#take(record),
    });
  }

  async start(handlers: LiveHandlers): Promise<void> {
    this.#handlers = handlers;
    await this.#admin.start();
    void this.#askOn();
    await this.#tail.start();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await Promise.all([this.#tail.stop(), this.#admin.stop()]);
  }

  pipeline(): TransportStatus {
    const readable = this.#tail.readable();
    if (readable !== this.#readable) {
      this.#readable = readable;
      this.#since = this.#options.clock.now();
    }
    const problem = readable ? undefined : this.#tail.problem();
    return {
      transport: 'kafka',
      readable,
      since: this.#since,
      ...(problem && { problem: problem.message }),
      ...(this.#brokersOnline === undefined
        ? {}
        : { brokersOnline: this.#brokersOnline, brokersExpected: this.#brokersSeen.size }),
      ...(this.#collectorLag === undefined ? {} : { collectorLag: this.#collectorLag }),
    };
  }

  /** What can't be decoded is the collector's to keep as a dead letter; a screen has no use for it. */
  #take({ topic, value, appendedAt }: FetchedRecord): void {
    if (!value) return;
    if (topic === this.#reportsTopic) {
      const decoded = decodeReport(value);
      if (decoded.ok) this.#handlers?.report({ report: decoded.value, appendedAt });
      return;
    }
    const decoded = decodeFacts(value);
    if (decoded.ok) this.#handlers?.facts(decoded.value, appendedAt);
  }

  /** Brokers and lag, as far as they can be had: an answer that doesn't come is shown as not known. */
  async #askOn(): Promise<void> {
    const { clock } = this.#options;
    const { signal } = this.#stopped;
    while (!signal.aborted) {
      const ids = await this.#ask(async () => (await this.#admin.brokers()).ids);
      for (const id of ids ?? []) this.#brokersSeen.add(id);
      // Brokers that were there and don't answer are missing; ones that nobody ever saw are not known.
      this.#brokersOnline = ids?.length ?? (this.#brokersSeen.size > 0 ? 0 : undefined);
      this.#collectorLag = ids && (await this.#ask(() => this.#askLag()));
      await sleep(clock, ASK_EVERY_MS, signal);
    }
  }

  async #askLag(): Promise<number | undefined> {
    const { collectorGroupId } = this.#options;
    return collectorGroupId === undefined ? undefined : this.#admin.lag(collectorGroupId, this.#reportsTopic);
  }

  async #ask<T>(question: () => Promise<T>): Promise<T | undefined> {
    try {
      return await question();
    } catch (error) {
      this.#options.log.debug({}, `Kafka doesn't answer the dashboard: ${reasonOf(error)}`);
      return undefined;
    }
  }
}
