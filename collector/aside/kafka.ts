import type { Destination, OnePartitionProducer } from '../../kafka/producer.ts';
import type { RecordToSend } from '../../kafka/types.ts';
import { ASIDE_HEADERS, recordKey, topicSpecs } from '../../telemetry/topics.ts';
import type { AsideRecord } from '../record.ts';
import type { AsideStore } from '../store/port.ts';

/**
 * The dead-letter and overflow topics: the body is the original bytes, everything else stands in headers. Rejects with
 * KAFKA_RECORD_REFUSED what the topic never takes.
 */
export class KafkaAside implements AsideStore {
  readonly #producer: Pick<OnePartitionProducer, 'send'>;
  readonly #topics: Record<AsideRecord['kind'], { name: string; partitions: number }>;

  /** The producer is started and stopped by its owner. */
  constructor({ producer, topicPrefix }: { producer: Pick<OnePartitionProducer, 'send'>; topicPrefix?: string }) {
    this.#producer = producer;
    const { deadLetters, overflow } = topicSpecs(topicPrefix);
    this.#topics = { 'dead-letter': deadLetters, overflow };
  }

  /** A retry after a failure writes again what had already arrived: readers count different seqs, not records. */
  async writeAside(records: AsideRecord[]): Promise<void> {
    for (const group of Map.groupBy(records, (record) => placeOf(record)).values()) {
      const first = group[0];
      if (first === undefined) continue;
      const topic = this.#topics[first.kind];
      await this.#producer.send(topic.name, destinationOf(first, topic.partitions), group.map(toRecord));
    }
  }
}

/** Records of one place go to one partition, in one send. */
function placeOf({ kind, clusterId, nodeId, record }: AsideRecord): string {
  return clusterId && nodeId ? `${kind} ${recordKey(clusterId, nodeId)}` : `${kind} #${record.partition}`;
}

/** Beside the node's other records; of a sender that the bytes don't tell, into the partition it came from. */
function destinationOf({ clusterId, nodeId, record }: AsideRecord, partitions: number): Destination {
  if (clusterId && nodeId) return { key: recordKey(clusterId, nodeId) };
  return { partition: record.partition % partitions, key: record.key };
}

function toRecord({ reason, detail, record, originalBytes, clusterId, nodeId, runId, seq }: AsideRecord): RecordToSend {
  const headers: Record<string, string> = {
    // The sender's own headers go along: a record that is sent again after a fix needs them.
    ...record.headers,
    [ASIDE_HEADERS.reason]: reason,
    [ASIDE_HEADERS.detail]: detail,
    [ASIDE_HEADERS.topic]: record.topic,
    [ASIDE_HEADERS.partition]: String(record.partition),
    [ASIDE_HEADERS.offset]: record.offset,
    [ASIDE_HEADERS.appendedAt]: String(record.appendedAt),
  };
  if (clusterId !== undefined) headers[ASIDE_HEADERS.clusterId] = clusterId;
  if (nodeId !== undefined) headers[ASIDE_HEADERS.nodeId] = nodeId;
  if (runId !== undefined) headers[ASIDE_HEADERS.runId] = runId;
  if (seq !== undefined) headers[ASIDE_HEADERS.seq] = String(seq);
  if (originalBytes !== undefined) headers[ASIDE_HEADERS.originalBytes] = String(originalBytes);
  return { value: record.value, headers };
}
