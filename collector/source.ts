import type { ErichtError } from '../lib/errors.ts';
import type { IncomingRecord } from './record.ts';

export type SourceRole = 'reports' | 'facts';

/** One partition for as long as it is assigned to this collector; another assignment is another object. */
export interface SourcePartition {
  readonly role: SourceRole;
  readonly topic: string;
  readonly partition: number;
  /** Aborted when the assignment ends: whoever gets the partition next reads from the last commit. */
  readonly signal: AbortSignal;
  /** Commits `nextOffset`, one above the last record done. Resolves false if the assignment is gone. */
  commit(nextOffset: string): Promise<boolean>;
}

export interface SourceBatch {
  /** In offset order. */
  records: IncomingRecord[];
  /** The partition's end when this was fetched, as an offset; what lies between is the lag. */
  highWatermark: string;
}

export interface SourceHandlers {
  assigned(partition: SourcePartition): void;
  revoked(partition: SourcePartition): void;
  /**
   * Resolves when the batch is stored and committed, or when its assignment or the collector has ended; may take as
   * long as a store is away. If it rejects, the batch is to be handed over again.
   */
  batch(batch: SourceBatch, partition: SourcePartition): Promise<void>;
}

export interface SourceStatus {
  /** Whether records can be read right now. */
  readable: boolean;
  /** Why not. */
  problem?: ErichtError;
  /** Records that are not yet committed, in all partitions; undefined while it is not known. */
  lag?: number;
  /** How often the consumer was made anew after it crashed, went mute, or the clock was stepped. */
  rebuilds: number;
}

/** Where a collector's records come from: topics, or the link in the same process. */
export interface RecordSource {
  readonly name: string;
  /** Rejects with a retryable error when it can't be reached, and with a final one when trying again can't help. */
  start(handlers: SourceHandlers): Promise<void>;
  /** Takes no more in, lets batches under way end, then lets go. Idempotent; also after a failed start. */
  stop(): Promise<void>;
  /** The wall clock was stepped: whatever reckons with it is made anew. */
  clockStepped(): void;
  status(): SourceStatus;
}
