/** How to reach Kafka. Files are read by whoever makes this: it holds the contents. */
export interface KafkaSettings {
  /** host:port of at least one broker. */
  brokers: string[];
  /** Names this process in the broker's logs and quotas. */
  clientId: string;
  tls?: { ca?: string; cert?: string; key?: string } | undefined;
  sasl?: { mechanism: 'scram-sha-512' | 'scram-sha-256' | 'plain'; username: string; password: string } | undefined;
}

export interface RecordToSend {
  value: Buffer | null;
  headers?: Record<string, string>;
}

export interface FetchedRecord {
  topic: string;
  partition: number;
  offset: string;
  key: Buffer | null;
  value: Buffer | null;
  headers: Record<string, string>;
  /** Append time, epoch milliseconds. */
  appendedAt: number;
}

export interface PartitionBatch {
  topic: string;
  partition: number;
  records: FetchedRecord[];
  /** The partition's end when this was fetched; the lag is this less the offset after the last record. */
  highWatermark: string;
}

/**
 * What a consumer may do with one partition while it is assigned. It belongs to one assignment: after a rebalance it is
 * dead, `signal` is aborted, and commit() does nothing, because kafkajs would commit with the new generation.
 */
export interface PartitionAssignment {
  readonly topic: string;
  readonly partition: number;
  readonly signal: AbortSignal;
  /** Commits `nextOffset` (one above the last done). Resolves false if the assignment is gone. */
  commit(nextOffset: string): Promise<boolean>;
}
