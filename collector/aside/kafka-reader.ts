import { scanTopic } from '../../kafka/scan.ts';
import type { FetchedRecord, KafkaSettings } from '../../kafka/types.ts';
import type { Clock } from '../../lib/clock.ts';
import { ErichtError } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { ASIDE_HEADERS, topicSpecs } from '../../telemetry/topics.ts';
import type { AsideKey, AsideReader } from '../store/port.ts';

export interface KafkaAsideReaderOptions {
  settings: KafkaSettings;
  topicPrefix?: string;
  clock: Clock;
  log: Log;
}

/** Who and why of all dead letters and overflow records that the topics still hold. */
export class KafkaAsideReader implements AsideReader {
  readonly #options: KafkaAsideReaderOptions;

  constructor(options: KafkaAsideReaderOptions) {
    this.#options = options;
  }

  async *asideKeys(): AsyncGenerator<AsideKey[], void, undefined> {
    const { deadLetters, overflow } = topicSpecs(this.#options.topicPrefix);
    yield* this.#keysOf(deadLetters.name, 'dead-letter');
    yield* this.#keysOf(overflow.name, 'overflow');
  }

  async *#keysOf(topic: string, kind: AsideKey['kind']): AsyncGenerator<AsideKey[], void, undefined> {
    const { settings, clock, log } = this.#options;
    try {
      for await (const page of scanTopic(settings, topic, { clock, log }))
        yield page.map((record) => keyOf(kind, record));
    } catch (error) {
      // Where no collector has run yet there is no such topic, and so nothing was set aside.
      if (!(error instanceof ErichtError && error.code === 'KAFKA_TOPIC_MISSING')) throw error;
    }
  }
}

function keyOf(kind: AsideKey['kind'], { headers }: FetchedRecord): AsideKey {
  const seq = headers[ASIDE_HEADERS.seq];
  return {
    kind,
    reason: headers[ASIDE_HEADERS.reason] ?? 'unknown',
    clusterId: headers[ASIDE_HEADERS.clusterId],
    nodeId: headers[ASIDE_HEADERS.nodeId],
    runId: headers[ASIDE_HEADERS.runId],
    seq: seq === undefined ? undefined : Number(seq),
  };
}
