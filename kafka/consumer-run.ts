import kafkajs, {
  type Broker,
  type Cluster,
  type Consumer,
  type EachBatchPayload,
  type PartitionAssigner,
} from 'kafkajs';
import { Backoff } from '../lib/backoff.ts';
import { type Clock, sleep } from '../lib/clock.ts';
import { withDeadline } from '../lib/deadline.ts';
import { ErichtError, reasonOf } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { Assignment } from './assignment.ts';
import { type KafkaClient, openClient } from './client.ts';
import { commitOffset } from './commit.ts';
import { classifyKafkaError } from './errors.ts';
import { FetchWatch } from './fetch-watch.ts';
import { takeRecords } from './fetched.ts';
import { logLostRanges } from './lost-range.ts';
import type { KafkaSettings, PartitionAssignment, PartitionBatch } from './types.ts';

export interface ConsumerHandlers {
  assigned(assignment: PartitionAssignment): void;
  revoked(topic: string, partition: number): void;
  /**
   * Resolves when the batch is dealt with; it may take as long as the store is down. A batch of the same partition comes
   * only after that. One that rejects is logged and handed over again after a pause.
   */
  batch(batch: PartitionBatch, assignment: PartitionAssignment): Promise<void>;
}

export interface ConsumerRunOptions {
  settings: KafkaSettings;
  groupId: string;
  topics: string[];
  clock: Clock;
  log: Log;
  handlers: ConsumerHandlers;
  sessionTimeoutMs: number;
  /** The member id of a former life that may not have got to leave the group. */
  formerMember?: string | undefined;
  /** Where to begin instead of at the committed offset. */
  startAt?: ((topic: string, partition: number) => string | undefined) | undefined;
  /** Called with one above each batch's last offset, also of batches that hold nothing but Kafka's own records. */
  onPosition?: ((topic: string, partition: number, nextOffset: string) => void) | undefined;
  onJoined(): void;
}

/** What kafkajs's brokers do beside what its types tell. */
interface LeavesGroups {
  leaveGroup(member: { groupId: string; memberId: string }): Promise<unknown>;
}

/** Between an idle fetch's beginning and its answer. */
const MAX_WAIT_MS = 200;
const MAX_BYTES_PER_PARTITION = 1024 * 1024;
/** kafkajs fetches nothing from a broker while batches of it are worked on, so a batch holds the others this long. */
const HOLD_MS = 50;
/** A leader that has not answered a fetch for this long is not readable. Less than the 3 s that make a node silent. */
const READABLE_MS = 1500;
const CLOSE_LIMIT_MS = 2000;
const MAX_CONCURRENT_PARTITIONS = 64;
const RIGHTS = 'give this user the right to read with this group';

/** One life of one kafkajs consumer, from connecting to the first thing that it does not heal by itself. */
export class ConsumerRun {
  readonly #options: ConsumerRunOptions;
  readonly #client: KafkaClient;
  readonly #consumer: Consumer;
  readonly #assignments = new Map<string, Assignment>();
  readonly #ended = Promise.withResolvers<ErichtError | undefined>();
  readonly #fetches: FetchWatch;
  #isEnded = false;
  #isMember = false;
  #groupRefused = false;
  #cluster: Cluster | undefined;
  #commitNow: EachBatchPayload['commitOffsetsIfNecessary'] | undefined;
  #startedAtMs: number | undefined;
  #joinedAtMs: number | undefined;
  #memberId: string | undefined;
  #heartbeatAtMs: number | undefined;

  constructor(options: ConsumerRunOptions) {
    this.#options = options;
    const { settings, clock, log, groupId, sessionTimeoutMs } = options;
    this.#fetches = new FetchWatch(clock);
    this.#client = openClient({ settings, clock, log, watchLog: (...said) => this.#watchLog(...said) });
    this.#consumer = this.#client.kafka.consumer({
      groupId,
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: Math.max(60_000, sessionTimeoutMs),
      heartbeatInterval: Math.min(3000, Math.floor(sessionTimeoutMs / 5)),
      maxWaitTimeInMs: MAX_WAIT_MS,
      minBytes: 1,
      maxBytesPerPartition: MAX_BYTES_PER_PARTITION,
      allowAutoTopicCreation: false,
      partitionAssigners: [this.#assigner],
      retry: { initialRetryTime: 200, maxRetryTime: 3000, retries: 5, restartOnFailure: async () => false },
    });
  }

  /** Resolves when this life is over: with the reason, or without one if it was ended from outside. */
  get ended(): Promise<ErichtError | undefined> {
    return this.#ended.promise;
  }

  /** As the group knows this consumer; undefined while it has not been joined. */
  get memberId(): string | undefined {
    return this.#memberId;
  }

  get startedAtMs(): number | undefined {
    return this.#startedAtMs;
  }

  /** Monotonic; undefined while the group has not been joined. */
  get joinedAtMs(): number | undefined {
    return this.#joinedAtMs;
  }

  /** Monotonic time of the older of the newest fetch and the newest heartbeat; undefined before the group is joined. */
  get lastSignOfLifeMs(): number | undefined {
    if (this.#joinedAtMs === undefined) return undefined;
    const fetchedAt = Math.max(this.#joinedAtMs, this.#fetches.newestMs());
    return Math.min(fetchedAt, Math.max(this.#joinedAtMs, this.#heartbeatAtMs ?? 0));
  }

  /** Never rejects: what goes wrong ends the run. */
  async start(): Promise<void> {
    const { topics, groupId, startAt, log } = this.#options;
    this.#startedAtMs = this.#options.clock.monotonicMs();
    this.#listen();
    try {
      await this.#consumer.connect();
      await this.#consumer.subscribe({ topics, fromBeginning: true });
      await this.#leaveAsFormerMember();
      if (!startAt) await logLostRanges(this.#client.kafka, groupId, topics, log);
      if (this.#isEnded) return;
      // Resolves even if the group may not be joined: then it crashes, which ends the run.
      await this.#consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: MAX_CONCURRENT_PARTITIONS,
        eachBatch: (payload) => this.#eachBatch(payload),
      });
    } catch (error) {
      this.end(this.#classify(error));
    }
  }

  end(reason?: ErichtError): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#dropAssignments();
    this.#ended.resolve(reason);
  }

  /** Leaves the group and closes, under a deadline. */
  async close(): Promise<void> {
    this.end();
    const { clock, log } = this.#options;
    try {
      await withDeadline(this.#consumer.disconnect(), CLOSE_LIMIT_MS, 'leaving the group', clock);
    } catch (error) {
      log.debug({}, `the consumer was cut off: ${reasonOf(error)}`);
    } finally {
      this.#client.destroy();
    }
  }

  /** Whether the leader of every assigned partition answers fetches at present. */
  readable(): boolean {
    if (this.#isEnded || !this.#isMember) return false;
    return this.#fetches.allAnswer(this.#leaders(), MAX_WAIT_MS + READABLE_MS);
  }

  /** How many fetches in a row each leader answered with nothing, the least of them: the log's end shows by it. */
  idleFetches(): number {
    if (!this.readable() || this.#assignments.size === 0) return 0;
    return this.#fetches.emptyInARow(this.#leaders());
  }

  /**
   * A group that is joined waits for all members that it knows, so a former life that could not say goodbye would cost
   * a whole session timeout.
   */
  async #leaveAsFormerMember(): Promise<void> {
    const { groupId, formerMember: memberId, log } = this.#options;
    if (memberId === undefined || !this.#cluster) return;
    try {
      const coordinator = (await this.#cluster.findGroupCoordinator({ groupId })) as Broker & LeavesGroups;
      await coordinator.leaveGroup({ groupId, memberId });
    } catch (error) {
      log.debug({}, `the former member is gone or was not reached: ${reasonOf(error)}`);
    }
  }

  /** kafkajs asks its assigner on each way into the group, before it does anything: the old generation ends there. */
  readonly #assigner: PartitionAssigner = (config) => {
    this.#cluster = config.cluster;
    const inner = kafkajs.PartitionAssigners.roundRobin(config);
    return {
      ...inner,
      assign: (group) => inner.assign(group),
      protocol: (subscription) => {
        this.#dropAssignments();
        return inner.protocol(subscription);
      },
    };
  };

  #listen(): void {
    const consumer = this.#consumer;
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      this.#memberId = payload.memberId;
      this.#joined(payload.memberAssignment);
    });
    consumer.on(consumer.events.REBALANCING, () => this.#dropAssignments());
    consumer.on(consumer.events.DISCONNECT, () => this.#dropAssignments());
    consumer.on(consumer.events.CRASH, ({ payload }) => this.end(this.#classify(payload.error)));
    consumer.on(consumer.events.HEARTBEAT, () => {
      this.#heartbeatAtMs = this.#options.clock.monotonicMs();
    });
    consumer.on(consumer.events.FETCH, ({ payload }) => this.#fetches.answered(Number(payload.nodeId)));
    consumer.on(consumer.events.START_BATCH_PROCESS, () => this.#fetches.batchCame());
    consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload: { topic, partition, lastOffset } }) => {
      if (!this.#isEnded) this.#options.onPosition?.(topic, partition, (BigInt(lastOffset) + 1n).toString());
    });
  }

  #joined(memberAssignment: Record<string, number[]>): void {
    this.#dropAssignments();
    if (this.#isEnded) return;
    const { clock, startAt, handlers, onJoined } = this.#options;
    this.#joinedAtMs = clock.monotonicMs();
    this.#isMember = true;
    // A batch of the former generation may still be worked on; its partition is fetched anew all the same.
    this.#consumer.resume(this.#consumer.paused());
    for (const [topic, partitions] of Object.entries(memberAssignment)) {
      for (const partition of partitions) {
        const assignment = new Assignment(topic, partition, (...args) => this.#commit(...args));
        this.#assignments.set(`${topic}/${partition}`, assignment);
        const offset = startAt?.(topic, partition);
        if (offset !== undefined) this.#consumer.seek({ topic, partition, offset });
        this.#tell('assigned', () => handlers.assigned(assignment));
      }
    }
    onJoined();
  }

  #dropAssignments(): void {
    this.#isMember = false;
    const dropped = [...this.#assignments.values()];
    this.#assignments.clear();
    for (const assignment of dropped) assignment.end();
    for (const { topic, partition } of dropped) {
      this.#tell('revoked', () => this.#options.handlers.revoked(topic, partition));
    }
  }

  /** Nothing may come out of here: kafkajs takes a SyntaxError as the end of the consumer. */
  async #eachBatch(payload: EachBatchPayload): Promise<void> {
    const { clock } = this.#options;
    const { batch } = payload;
    const assignment = this.#assignments.get(`${batch.topic}/${batch.partition}`);
    if (!assignment) {
      // The group is being joined anew; what is not resolved comes again.
      await sleep(clock, MAX_WAIT_MS);
      return;
    }
    this.#commitNow = payload.commitOffsetsIfNecessary;
    const { topic, partition, highWatermark } = batch;
    const lastOffset = batch.lastOffset();
    const records = assignment.takeNew(takeRecords(batch));
    payload.resolveOffset(lastOffset);
    if (records.length === 0) return;

    const work = this.#work({ topic, partition, records, highWatermark }, assignment);
    await this.#atMost(HOLD_MS, work.promise);
    if (work.isDone() || !assignment.alive) return;
    // The partition rests until its batch is dealt with. Meanwhile the others go on, and so do the heartbeats: a store
    // that is away for minutes costs no rebalance.
    const resume = payload.pause();
    void work.promise.then(() => {
      if (assignment.alive) resume();
    });
  }

  #work(batch: PartitionBatch, assignment: Assignment): { promise: Promise<void>; isDone(): boolean } {
    let done = false;
    const promise = this.#handle(batch, assignment).then(() => {
      done = true;
    });
    return { promise, isDone: () => done };
  }

  /** Never rejects. */
  async #handle(batch: PartitionBatch, assignment: Assignment): Promise<void> {
    const { handlers, clock, log } = this.#options;
    const backoff = new Backoff({ baseMs: 1000, maxMs: 30_000 });
    while (assignment.alive) {
      try {
        await handlers.batch(batch, assignment);
        return;
      } catch (error) {
        const { topic, partition } = batch;
        const offset = batch.records[0]?.offset;
        log.error({ topic, partition, offset, err: error }, `a batch of ${topic} failed: ${reasonOf(error)}`);
        await sleep(clock, 250 + backoff.nextDelayMs(), assignment.signal);
      }
    }
  }

  async #commit(assignment: Assignment, nextOffset: string): Promise<boolean> {
    const commitNow = this.#commitNow;
    if (!commitNow) return false;
    const onFenced = () => this.#dropAssignments();
    return commitOffset({ clock: this.#options.clock, assignment, nextOffset, commitNow, onFenced });
  }

  #leaders(): number[] {
    const leaders = new Set<number>();
    const known = new Set((this.#cluster?.getNodeIds() ?? []).map(Number));
    for (const { topic, partition } of this.#assignments.values()) {
      const metadata = this.#cluster?.findTopicPartitionMetadata(topic) ?? [];
      const leader = metadata.find(({ partitionId }) => partitionId === partition)?.leader ?? -1;
      leaders.add(known.has(leader) ? leader : -1);
    }
    return [...leaders];
  }

  /** kafkajs swallows a missing right to the group, and then says that it found no coordinator. */
  #classify(error: unknown): ErichtError {
    const failure = classifyKafkaError(error, this.#what());
    if (!this.#groupRefused || failure.code !== 'KAFKA_UNREACHABLE') return failure;
    const why = 'GROUP_AUTHORIZATION_FAILED';
    return new ErichtError('KAFKA_UNAUTHORISED', { what: failure.what, why, next: RIGHTS, cause: error });
  }

  #watchLog(message: string, { topic, partition, error }: Record<string, unknown>): void {
    if (String(error).startsWith('Not authorized to access group')) this.#groupRefused = true;
    if (!message.startsWith('Offset out of range')) return;
    const assignment = this.#assignments.get(`${topic}/${partition}`);
    const asked = assignment?.next ?? 'unknown';
    assignment?.forgetPosition();
    const text = `${topic}/${partition} no longer has offset ${asked}: reading goes on at the oldest record there is`;
    this.#options.log.error({ topic, partition, offset: asked }, text);
  }

  #atMost(limitMs: number, work: Promise<void>): Promise<void> {
    const { clock } = this.#options;
    return new Promise((resolve) => {
      const timer = clock.setTimer(resolve, limitMs);
      void work.then(() => {
        clock.clear(timer);
        resolve();
      });
    });
  }

  #tell(event: string, call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#options.log.error({ err: error }, `the handler of "${event}" failed: ${reasonOf(error)}`);
    }
  }

  #what(): string {
    return `cannot read ${this.#options.topics.join(', ')} as group ${this.#options.groupId}`;
  }
}
