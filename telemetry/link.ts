/** One encoded record on its way out of an agent. */
export interface OutgoingRecord {
  kind: 'report' | 'facts';
  clusterId: string;
  nodeId: string;
  /** The encoded report or facts: the very bytes that a broker would get. */
  value: Buffer;
  /** SENT_HEADERS, added at the sending. */
  headers: Record<string, string>;
}

/**
 * Where an agent's records go: a Kafka topic, or the collector in the same process. All records of one call are of one
 * node. Only one call is under way at a time.
 */
export interface RecordSink {
  readonly name: string;
  start(): Promise<void>;
  /**
   * Resolves once all records are acknowledged for good (Kafka: all in-sync replicas; link: after COMMIT). Rejects with
   * an ErichtError: a retryable one means that any of them may or may not have arrived, KAFKA_RECORD_REFUSED and
   * REPORT_TOO_LARGE mean that the first record will never be taken.
   */
  send(records: OutgoingRecord[]): Promise<void>;
  stop(): Promise<void>;
}
