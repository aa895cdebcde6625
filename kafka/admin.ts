import kafkajs, { type Admin } from 'kafkajs';
import { Backoff } from '../lib/backoff.ts';
import { type Clock, sleep } from '../lib/clock.ts';
import { withDeadline } from '../lib/deadline.ts';
import { ErichtError, reasonOf } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { type KafkaClient, openClient } from './client.ts';
import { classifyKafkaError, kafkaErrorType } from './errors.ts';
import { judgeSettings, settingsToAsk } from './topic-settings.ts';
import type { KafkaSettings } from './types.ts';

export interface AdminOptions {
  settings: KafkaSettings;
  clock: Clock;
  log: Log;
  /** A question that takes longer rejects as KAFKA_UNREACHABLE. */
  callTimeoutMs?: number;
}

/** The same shape as telemetry's TopicSpec. */
export interface TopicToEnsure {
  name: string;
  partitions: number;
  settings: Record<string, string>;
}

const TOPICS_LIMIT_MS = 30_000;
const CLOSE_LIMIT_MS = 500;

/** Questions to Kafka and the making of topics. Connects at the first call; each call has a deadline. */
export class KafkaAdmin {
  readonly name = 'Kafka admin';
  readonly #settings: KafkaSettings;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #callTimeoutMs: number;
  #connection: { client: KafkaClient; ready: Promise<Admin>; admin: Admin } | undefined;
  #stopped = false;

  constructor({ settings, clock, log, callTimeoutMs = 15_000 }: AdminOptions) {
    this.#settings = settings;
    this.#clock = clock;
    this.#log = log;
    this.#callTimeoutMs = callTimeoutMs;
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#disconnect();
  }

  /**
   * Makes the topics that are missing and waits until each partition has a leader. An existing topic is checked and
   * never changed: another number of partitions, or timestamps that the sender chooses, reject as
   * KAFKA_TOPIC_UNSUITABLE, lesser differences are logged. Two processes may do this at the same time.
   */
  async ensureTopics(specs: TopicToEnsure[]): Promise<void> {
    const existing = new Set(await this.#call('list the topics', (admin) => admin.listTopics()));
    const missing = specs.filter(({ name }) => !existing.has(name));
    if (missing.length > 0) {
      const replicas = Math.min(3, (await this.brokers()).online);
      for (const spec of missing) await this.#createTopic(spec, replicas);
    }
    await this.#waitForLeaders(specs);
    for (const spec of specs) await this.#checkSettings(spec);
  }

  async brokers(): Promise<{ online: number; ids: number[] }> {
    const { brokers } = await this.#call('ask for the brokers', (admin) => admin.describeCluster());
    return { online: brokers.length, ids: brokers.map(({ nodeId }) => nodeId).sort((a, b) => a - b) };
  }

  /** Records of the topic that the group has yet to commit; undefined when it has committed nothing there. */
  async lag(groupId: string, topic: string): Promise<number | undefined> {
    const offsets = await this.#call(`ask for the offsets of ${groupId}`, (admin) =>
      admin.fetchOffsets({ groupId, topics: [topic] }),
    );
    const committed = new Map(offsets[0]?.partitions.map(({ partition, offset }) => [partition, Number(offset)]));
    if (![...committed.values()].some((offset) => offset >= 0)) return undefined;
    let lag = 0;
    for (const { partition, low, high } of await this.endOffsets(topic)) {
      const done = Math.max(Number(low), committed.get(partition) ?? -1);
      lag += Math.max(0, Number(high) - done);
    }
    return lag;
  }

  /** Per partition the oldest offset there is, and the one that the next record will get. */
  async endOffsets(topic: string): Promise<{ partition: number; low: string; high: string }[]> {
    const ends = await this.#call(`ask for the ends of ${topic}`, (admin) => admin.fetchTopicOffsets(topic));
    return ends.map(({ partition, low, high }) => ({ partition, low, high }));
  }

  /** Per partition the offset of the first record appended at or after `fromMs`, or the end. */
  async offsetsAt(topic: string, fromMs: number): Promise<{ partition: number; offset: string }[]> {
    return this.#call(`ask for offsets of ${topic} by time`, (admin) =>
      admin.fetchTopicOffsetsByTimestamp(topic, fromMs),
    );
  }

  /** One that does not exist counts as deleted; one that still has members is waited for, for a moment. */
  async deleteGroup(groupId: string): Promise<void> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        await this.#call(`delete the group ${groupId}`, (admin) => deleteGroup(admin, groupId));
        return;
      } catch (error) {
        if (attempt >= 5 || kafkaErrorType((error as Error).cause) !== 'NON_EMPTY_GROUP') throw error;
        await sleep(this.#clock, 200);
      }
    }
  }

  async #createTopic(spec: TopicToEnsure, replicationFactor: number): Promise<void> {
    const settings = { ...spec.settings, ...(replicationFactor === 3 && { 'min.insync.replicas': '2' }) };
    const topic = {
      topic: spec.name,
      numPartitions: spec.partitions,
      replicationFactor,
      configEntries: Object.entries(settings).map(([name, value]) => ({ name, value })),
    };
    // Resolves false where another process was faster, which is as good.
    const isNew = await this.#call(`create the topic ${spec.name}`, (admin) =>
      admin.createTopics({ topics: [topic], waitForLeaders: false, timeout: 10_000 }),
    );
    if (isNew) this.#log.info({ topic: spec.name, partitions: spec.partitions, replicationFactor }, 'topic created');
  }

  async #waitForLeaders(specs: TopicToEnsure[]): Promise<void> {
    const until = this.#clock.monotonicMs() + TOPICS_LIMIT_MS;
    const backoff = new Backoff({ baseMs: 100, maxMs: 1000 });
    const topics = specs.map(({ name }) => name);
    for (;;) {
      const late = this.#clock.monotonicMs() >= until;
      try {
        const metadata = await this.#call('ask for the topics', (admin) => admin.fetchTopicMetadata({ topics }));
        const hasLeaders = metadata.topics.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0));
        if (hasLeaders && metadata.topics.length === topics.length) {
          for (const { name, partitions } of metadata.topics) {
            checkPartitions(specs.find((spec) => spec.name === name)!, partitions.length);
          }
          // A leader that is named may still be on its way to office: one that answers is there.
          for (const topic of topics) await this.endOffsets(topic);
          return;
        }
      } catch (error) {
        if (late || !(error instanceof ErichtError) || !error.retryable) throw error;
      }
      if (late) {
        const why = `some partitions have no leader after ${TOPICS_LIMIT_MS / 1000} s`;
        throw new ErichtError('KAFKA_UNREACHABLE', { what: `cannot use ${topics.join(', ')}`, why });
      }
      await sleep(this.#clock, 50 + backoff.nextDelayMs());
    }
  }

  async #checkSettings({ name, settings }: TopicToEnsure): Promise<void> {
    const configNames = settingsToAsk(settings);
    if (configNames.length === 0) return;
    const resource = { type: kafkajs.ConfigResourceTypes.TOPIC, name, configNames };
    try {
      const answer = await this.#call(`ask for the settings of ${name}`, (admin) =>
        admin.describeConfigs({ resources: [resource], includeSynonyms: false }),
      );
      const entries = answer.resources[0]?.configEntries ?? [];
      const found = new Map(entries.map(({ configName, configValue }) => [configName, configValue]));
      for (const told of judgeSettings(name, settings, found)) this.#log.warn({ topic: name }, told);
    } catch (error) {
      if (!(error instanceof ErichtError) || error.code !== 'KAFKA_UNAUTHORISED') throw error;
      // Reading settings is a right of its own, which a collector can do without.
      this.#log.warn({ topic: name }, `the settings of ${name} are not checked: ${error.message}`);
    }
  }

  async #call<T>(what: string, question: (admin: Admin) => Promise<T>): Promise<T> {
    const sentence = `cannot ${what}`;
    if (this.#stopped) throw new ErichtError('STOPPED', { what: sentence });
    try {
      const work = this.#connect().then(question);
      return await withDeadline(work, this.#callTimeoutMs, sentence, this.#clock);
    } catch (error) {
      const failure = classifyKafkaError(error, sentence);
      // What Kafka answered leaves the connection as it was; without an answer the next call begins anew.
      if (kafkaErrorType(error) === undefined) await this.#disconnect();
      if (failure.code !== 'DEADLINE_EXCEEDED') throw failure;
      throw new ErichtError('KAFKA_UNREACHABLE', { what: sentence, why: failure.why ?? '', cause: error });
    }
  }

  #connect(): Promise<Admin> {
    if (!this.#connection) {
      const options = { settings: this.#settings, clock: this.#clock, log: this.#log };
      const client = openClient({ ...options, requestTimeoutMs: this.#callTimeoutMs });
      const admin = client.kafka.admin({ retry: { initialRetryTime: 100, maxRetryTime: 1000, retries: 4 } });
      this.#connection = { client, admin, ready: admin.connect().then(() => admin) };
    }
    return this.#connection.ready;
  }

  async #disconnect(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    if (!connection) return;
    try {
      await withDeadline(connection.admin.disconnect(), CLOSE_LIMIT_MS, 'closing the admin connection', this.#clock);
    } catch (error) {
      this.#log.debug({}, `the admin connection was cut: ${reasonOf(error)}`);
    } finally {
      connection.client.destroy();
    }
  }
}

async function deleteGroup(admin: Admin, groupId: string): Promise<void> {
  try {
    await admin.deleteGroups([groupId]);
  } catch (error) {
    const inner = (error as { groups?: { error?: Error & { type?: string } }[] }).groups?.[0]?.error;
    if (inner?.type !== 'GROUP_ID_NOT_FOUND') throw inner ?? error;
  }
}

function checkPartitions(spec: TopicToEnsure, found: number): void {
  if (found === spec.partitions) return;
  throw new ErichtError('KAFKA_TOPIC_UNSUITABLE', {
    what: `the topic ${spec.name} has ${found} partitions, it needs ${spec.partitions}`,
    why: 'another number puts nodes into other partitions, which breaks their order',
    next: `set kafka.topicPrefix to a new prefix, or delete the topic if its records are not needed`,
  });
}
