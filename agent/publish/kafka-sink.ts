import type { OnePartitionProducer } from '../../kafka/producer.ts';
import type { OutgoingRecord, RecordSink } from '../../telemetry/link.ts';
import { recordKey, topicSpecs } from '../../telemetry/topics.ts';

export interface KafkaSinkOptions {
  producer: Pick<OnePartitionProducer, 'start' | 'send' | 'stop'>;
  /** Topic names begin with it; see telemetry/topics.ts. */
  topicPrefix: string;
}

/** A node's way to Kafka: reports and facts by the node's key, so that each node stays in one partition, in order. */
export class KafkaSink implements RecordSink {
  readonly name = 'Kafka';
  readonly #producer: KafkaSinkOptions['producer'];
  readonly #topics: Record<OutgoingRecord['kind'], string>;

  constructor({ producer, topicPrefix }: KafkaSinkOptions) {
    this.#producer = producer;
    const { reports, facts } = topicSpecs(topicPrefix);
    this.#topics = { report: reports.name, facts: facts.name };
  }

  start(): Promise<void> {
    return this.#producer.start();
  }

  async send(records: OutgoingRecord[]): Promise<void> {
    for (const kind of ['report', 'facts'] as const) {
      const ofKind = records.filter((record) => record.kind === kind);
      const first = ofKind[0];
      if (!first) continue;
      const to = { key: recordKey(first.clusterId, first.nodeId) };
      const plain = ofKind.map(({ value, headers }) => ({ value, headers }));
      await this.#producer.send(this.#topics[kind], to, plain);
    }
  }

  stop(): Promise<void> {
    return this.#producer.stop();
  }
}
