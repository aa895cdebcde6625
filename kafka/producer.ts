import type { Message, Producer, RecordMetadata } from 'kafkajs';
import { Backoff } from '../lib/backoff.ts';
import { type Clock, sleep } from '../lib/clock.ts';
import { withDeadline } from '../lib/deadline.ts';
import { ErichtError, reasonOf } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import { type KafkaClient, openClient } from './client.ts';
import { classifyKafkaError, RecordRefusedError } from './errors.ts';
import { createPartitioner, splitBySize } from './partitioning.ts';
import type { KafkaSettings, RecordToSend } from './types.ts';

/** Half of the topics' limit: the size limit holds per batch, and one large record must not pull down its neighbours. */
export const MAX_SEND_BYTES = 512 * 1024;

/** The broker's own wait for its replicas; shorter than the request's, so that the broker's answer comes first. */
const REPLICA_TIMEOUT_MS = 8_000;
const REQUEST_TIMEOUT_MS = 12_000;

/** Short: a board is called silent that is not heard soon after Kafka is back. */
const MAX_PAUSE_MS = 4000;

const MAX_WAITING_SENDS = 256;
const STOP_SEND_MS = 1000;
const STOP_CONNECTION_MS = 1000;

export type Destination = { key: string } | { partition: number; key?: Buffer | null };

export interface ProducerOptions {
  settings: KafkaSettings;
  clock: Clock;
  log: Log;
  /** Each piece of a send that is not acknowledged within this time rejects as KAFKA_UNREACHABLE. */
  sendTimeoutMs?: number;
}

/**
 * Sends to one partition at a time, one send at a time, acknowledged by all in-sync replicas.
 *
 * One partition, because kafkajs 2.2.4 drops part of a send that spans several leaders when one of them fails, and
 * resolves. Not idempotent, because kafkajs then gives two sends the same sequence after a lost answer, and the broker
 * takes the second for a copy of the first. A record may arrive twice; none that is acknowledged is lost.
 */
export class OnePartitionProducer {
  readonly name = 'Kafka producer';
  readonly #settings: KafkaSettings;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #sendTimeoutMs: number;
  readonly #stopped = new AbortController();
  readonly #cut = Promise.withResolvers<never>();
  readonly #backoff = new Backoff({ baseMs: 500, maxMs: MAX_PAUSE_MS });
  #connection: { client: KafkaClient; producer: Producer } | undefined;
  #lastSend: Promise<void> = Promise.resolve();
  #waiting = 0;
  #failedLast = false;
  #stopping: Promise<void> | undefined;

  constructor({ settings, clock, log, sendTimeoutMs = 30_000 }: ProducerOptions) {
    this.#settings = settings;
    this.#clock = clock;
    this.#log = log;
    this.#sendTimeoutMs = sendTimeoutMs;
    // Awaited only while a send is under way.
    this.#cut.promise.catch(() => {});
  }

  /** Connects nothing: an agent starts with no broker. The first send connects. */
  async start(): Promise<void> {}

  /**
   * Resolves once all in-sync replicas have all records, in the order given. Rejects with an ErichtError:
   * KAFKA_UNREACHABLE, KAFKA_UNAUTHORISED or KAFKA_TOPIC_MISSING when any of them may or may not have arrived (send all
   * again); RecordRefusedError (code KAFKA_RECORD_REFUSED) when one of them will never be taken: the `accepted` records
   * before it are acknowledged, those after it were not tried; STOPPED after stop().
   */
  send(topic: string, to: Destination, records: RecordToSend[]): Promise<void> {
    if (this.#waiting >= MAX_WAITING_SENDS) {
      const why = `${MAX_WAITING_SENDS} sends are waiting`;
      return Promise.reject(new ErichtError('KAFKA_UNREACHABLE', { what: `cannot send to ${topic}`, why }));
    }
    this.#waiting += 1;
    const sent = this.#lastSend.then(() => this.#sendAll(topic, to, records)).finally(() => (this.#waiting -= 1));
    // The next send waits for this one, however it ends.
    this.#lastSend = sent.catch(() => {});
    return sent;
  }

  /** Gives a send under way one second, then closes; idempotent, and done within about 2 s even if Kafka is frozen. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const queue = this.#lastSend;
    this.#stopped.abort();
    try {
      await withDeadline(queue, STOP_SEND_MS, 'finishing the last send', this.#clock);
    } catch (error) {
      this.#log.debug({}, `a send was cut off at the stop: ${reasonOf(error)}`);
      this.#failedLast = true;
      this.#cut.reject(new ErichtError('STOPPED', { what: 'a send was cut off', why: 'the producer has stopped' }));
    }
    await this.#disconnect();
    await queue;
  }

  async #sendAll(topic: string, to: Destination, records: RecordToSend[]): Promise<void> {
    const key = to.key ?? null;
    const keyBytes = key === null ? 0 : Buffer.byteLength(key);
    let accepted = 0;
    const deliver = async (piece: RecordToSend[]) => {
      await this.#deliver(topic, to, piece);
      accepted += piece.length;
    };
    for (const piece of splitBySize(records, keyBytes, MAX_SEND_BYTES)) {
      try {
        await deliver(piece);
      } catch (error) {
        if (!(error instanceof RecordRefusedError)) throw error;
        // Kafka refuses a batch as a whole; one by one shows which record it means, and lets its elders through.
        try {
          if (piece.length > 1) for (const record of piece) await deliver([record]);
          else throw error;
        } catch (refusal) {
          if (!(refusal instanceof RecordRefusedError)) throw refusal;
          throw new RecordRefusedError({ what: refusal.what, why: refusal.why ?? '', cause: refusal, accepted });
        }
      }
    }
  }

  async #deliver(topic: string, to: Destination, records: RecordToSend[]): Promise<void> {
    const what = `cannot send to ${topic}`;
    if (this.#stopped.signal.aborted) throw new ErichtError('STOPPED', { what, why: 'the producer has stopped' });
    if (this.#failedLast) await sleep(this.#clock, this.#backoff.nextDelayMs(), this.#stopped.signal);
    try {
      const work = Promise.race([this.#sendOnce(topic, to, records), this.#cut.promise]);
      await withDeadline(work, this.#sendTimeoutMs, what, this.#clock);
      this.#failedLast = false;
      this.#backoff.reset();
    } catch (error) {
      const failure = classifyKafkaError(error, what);
      if (failure.code === 'KAFKA_RECORD_REFUSED') {
        throw new RecordRefusedError({ what, why: failure.why ?? '', cause: error, accepted: 0 });
      }
      this.#failedLast = true;
      // Whatever failed, the next send begins with fresh connections and metadata, and nothing of this one goes on.
      await this.#disconnect();
      if (this.#stopped.signal.aborted) throw new ErichtError('STOPPED', { what, cause: error });
      if (failure.code !== 'DEADLINE_EXCEEDED') throw failure;
      throw new ErichtError('KAFKA_UNREACHABLE', { what, why: failure.why ?? '', cause: error });
    }
  }

  async #sendOnce(topic: string, to: Destination, records: RecordToSend[]): Promise<void> {
    const producer = await this.#connect();
    const address = 'partition' in to ? { partition: to.partition, key: to.key ?? null } : { key: to.key };
    const messages: Message[] = records.map(({ value, headers }) => ({
      ...address,
      value,
      ...(headers && { headers }),
    }));
    const answer = await producer.send({ topic, acks: -1, timeout: REPLICA_TIMEOUT_MS, messages });
    if (!isAcknowledged(answer, topic, 'partition' in to ? to.partition : undefined)) {
      throw new ErichtError('KAFKA_UNREACHABLE', {
        what: `cannot send to ${topic}`,
        why: 'the answer does not name the partition, so nothing is known to be stored',
      });
    }
  }

  async #connect(): Promise<Producer> {
    if (this.#stopped.signal.aborted) throw new ErichtError('STOPPED', { what: 'cannot connect to Kafka' });
    if (this.#connection) return this.#connection.producer;
    const options = { settings: this.#settings, clock: this.#clock, log: this.#log };
    const client = openClient({ ...options, requestTimeoutMs: REQUEST_TIMEOUT_MS });
    const producer = client.kafka.producer({
      createPartitioner,
      allowAutoTopicCreation: false,
      idempotent: false,
      maxInFlightRequests: 1,
      retry: { initialRetryTime: 100, maxRetryTime: 1000, retries: 8 },
    });
    this.#connection = { client, producer };
    await producer.connect();
    return producer;
  }

  async #disconnect(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    if (!connection) return;
    try {
      // A failed send may have left requests that kafkajs would wait for: cut them off first.
      if (this.#failedLast) connection.client.destroy();
      await withDeadline(connection.producer.disconnect(), STOP_CONNECTION_MS, 'closing the producer', this.#clock);
    } catch (error) {
      this.#log.debug({}, `the producer's connection was cut: ${reasonOf(error)}`);
    } finally {
      connection.client.destroy();
    }
  }
}

/** kafkajs resolves even where a partition was left out of the sending: only what it names is stored. */
export function isAcknowledged(answer: RecordMetadata[], topic: string, partition: number | undefined): boolean {
  const [only] = answer;
  return (
    answer.length === 1 &&
    only !== undefined &&
    only.topicName === topic &&
    only.errorCode === 0 &&
    (partition === undefined || only.partition === partition)
  );
}
