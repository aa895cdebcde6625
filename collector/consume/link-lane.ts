import { Backoff } from '../../lib/backoff.ts';
import { type Clock, sleep } from '../../lib/clock.ts';
import { ErichtError, reasonOf } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import type { OutgoingRecord } from '../../telemetry/link.ts';
import { recordKey } from '../../telemetry/topics.ts';
import type { IncomingRecord } from '../record.ts';
import type { SourceHandlers, SourcePartition, SourceRole } from '../source.ts';

/** Longer than a COMMIT takes, and less than the 3 s that make a node silent. */
const STUCK_MS = 1500;

/** Records that one batch holds at most; one COMMIT for many senders is what makes the link fast. */
const BATCH_RECORDS = 1000;

interface Send {
  /** One above its last record. */
  nextOffset: bigint;
  settle(error?: ErichtError): void;
}

export interface LaneOptions {
  role: SourceRole;
  /** Told of records that wait no longer, committed or not. */
  done(records: IncomingRecord[]): void;
  clock: Clock;
  log: Log;
}

/** One partition of the link: a queue in memory with offsets of its own, and the sends that wait for its commits. */
export class LinkLane {
  readonly #done: LaneOptions['done'];
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #ended = new AbortController();
  readonly #partition: SourcePartition;
  #handlers: SourceHandlers | undefined;
  #queue: IncomingRecord[] = [];
  #sends: Send[] = [];
  #nextOffset = 0n;
  #committed = 0n;
  /** Monotonic: when the queue last began to fill, or was last committed from. */
  #movedAtMs = 0;
  #pump: Promise<void> | undefined;
  #isStopping = false;

  constructor({ role, done, clock, log }: LaneOptions) {
    this.#done = done;
    this.#clock = clock;
    this.#log = log;
    const topic = `link.${role}`;
    this.#partition = {
      role,
      topic,
      partition: 0,
      signal: this.#ended.signal,
      commit: async (next) => this.#commit(next),
    };
  }

  /** Records that are not committed. */
  get waiting(): number {
    return Number(this.#nextOffset - this.#committed);
  }

  /** Something waits and nothing moves: what agents sample meanwhile can't come through either. */
  get isStuck(): boolean {
    return this.waiting > 0 && this.#clock.monotonicMs() - this.#movedAtMs > STUCK_MS;
  }

  start(handlers: SourceHandlers): void {
    this.#handlers = handlers;
    handlers.assigned(this.#partition);
    this.#wake();
  }

  /** Resolves when all records are committed; rejects, retryable, when the link ends first. */
  take(records: OutgoingRecord[], appendedAt: number): Promise<void> {
    if (records.length === 0) return Promise.resolve();
    if (this.waiting === 0) this.#movedAtMs = this.#clock.monotonicMs();
    for (const { clusterId, nodeId, value, headers } of records) {
      const key = Buffer.from(recordKey(clusterId, nodeId));
      const { topic, partition } = this.#partition;
      this.#queue.push({ topic, partition, offset: String(this.#nextOffset), key, value, headers, appendedAt });
      this.#nextOffset += 1n;
    }
    return new Promise((resolve, reject) => {
      const settle = (error?: ErichtError) => (error ? reject(error) : resolve());
      this.#sends.push({ nextOffset: this.#nextOffset, settle });
      this.#wake();
    });
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#pump;
    this.#ended.abort();
    if (this.#handlers) this.#handlers.revoked(this.#partition);
    this.#done(this.#queue.splice(0));
    const why = 'the collector in this process stopped before it was stored';
    for (const { settle } of this.#sends.splice(0)) {
      settle(new ErichtError('STORE_UNREACHABLE', { what: 'the report was not stored', why }));
    }
  }

  #wake(): void {
    if (this.#pump || this.#handlers === undefined || this.#queue.length === 0) return;
    this.#pump = this.#run(this.#handlers).finally(() => {
      this.#pump = undefined;
      if (!this.#isStopping) this.#wake();
    });
  }

  async #run(handlers: SourceHandlers): Promise<void> {
    const backoff = new Backoff({ baseMs: 500, maxMs: 10_000 });
    while (this.#queue.length > 0) {
      const before = this.#committed;
      const records = this.#queue.slice(0, BATCH_RECORDS);
      try {
        await handlers.batch({ records, highWatermark: String(this.#nextOffset) }, this.#partition);
        backoff.reset();
        // Ended without a commit: the collector has given up, and whatever came after would be given up too.
        if (this.#committed === before) return;
      } catch (error) {
        this.#log.error({ err: error }, `a batch of the link failed: ${reasonOf(error)}`);
        if (this.#isStopping) return;
        await sleep(this.#clock, 100 + backoff.nextDelayMs());
      }
    }
  }

  #commit(nextOffset: string): boolean {
    if (this.#ended.signal.aborted) return false;
    this.#committed = BigInt(nextOffset);
    this.#movedAtMs = this.#clock.monotonicMs();
    const open = this.#queue.findIndex(({ offset }) => BigInt(offset) >= this.#committed);
    this.#done(this.#queue.splice(0, open === -1 ? this.#queue.length : open));
    while (this.#sends[0] && this.#sends[0].nextOffset <= this.#committed) this.#sends.shift()?.settle();
    return true;
  }
}
