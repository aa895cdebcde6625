import type { Claim } from '../../telemetry/accounting.ts';
import type { Facts } from '../../telemetry/facts.ts';
import type { Report } from '../../telemetry/report.ts';
import type { AsideRecord, PlacedReport } from '../record.ts';

/** One per row, in the order given. A refused row is refused for good and says why; its neighbours are stored. */
export type RowOutcome = { stored: true } | { stored: false; why: string };

export interface StoredFacts {
  facts: Facts;
  appendedAt: number;
}

/** How long rows live, counted from their own time, so that a replay doesn't renew them. */
export interface Retention {
  rawMs: number;
}

/**
 * Where reports are kept. Every write is idempotent, so a caller that got a retryable error writes the same again.
 * Retryable errors: STORE_UNREACHABLE, STORE_OVERLOADED, STORE_FULL.
 */
export interface TelemetryStore extends StoreReader {
  readonly kind: 'sqlite' | 'cassandra';
  /** Connects, and brings the schema up to this version. Throws SCHEMA_TOO_NEW if the tables are of a newer one. */
  start(): Promise<void>;
  /** Idempotent; a write under way is finished first. */
  stop(): Promise<void>;
  /**
   * Resolves after the rows are durable. A row past the retention is answered as stored, and kept no longer than until
   * the store tidies up. How old a row is, is never judged by the clock of a process alone, because that may be wrong.
   */
  writeReports(rows: PlacedReport[]): Promise<RowOutcome[]>;
  /** Keeps the newest by append time for each node. Only live reports belong here; the caller sees to it. */
  writeLatest(rows: PlacedReport[]): Promise<void>;
  writeFacts(rows: StoredFacts[]): Promise<void>;
  /** The wall time of a board's boot, for a boot whose clock was not set: the first proposal is kept for ever. */
  bootAnchor(boot: { clusterId: string; nodeId: string; bootId: string }, proposedAt: number): Promise<number>;
}

export interface LatestReport {
  report: Report;
  appendedAt: number;
}

export interface ReportQuery {
  clusterId: string;
  nodeId: string;
  /** Inclusive, by row time. */
  fromMs: number;
  /** Exclusive. */
  toMs: number;
}

/** A row as it is stored: lists that were not sampled for this very report are not in it. */
export interface StoredReport {
  report: Report;
  placedAt: number;
  appendedAt: number;
}

/** What audit needs of a row. */
export interface RowKey {
  runId: string;
  seq: number;
  placedAt: number;
  appendedAt: number;
  drained: boolean;
  goodbye: boolean;
  claim: Claim;
}

export interface StoreReader {
  /** Clusters that have a row, facts or a latest report. */
  clusters(): Promise<string[]>;
  /** Every node ever heard of, by name. */
  nodes(clusterId: string): Promise<string[]>;
  /** One read paints the screen. */
  latest(clusterId: string): Promise<LatestReport[]>;
  facts(clusterId: string): Promise<StoredFacts[]>;
  reports(query: ReportQuery, options: { order: 'oldest' | 'newest'; limit: number }): Promise<StoredReport[]>;
  /** All row keys of a node in pages, oldest first, without holding them all. */
  keys(query: ReportQuery): AsyncIterable<RowKey[]>;
  /** Rows placed before this instant may be gone: by the retention, or for the size cap. 0: none was ever deleted. */
  keptSinceMs(): Promise<number>;
  /**
   * What time it is, epoch milliseconds: the servers' own where there are servers, so that a look from a machine whose
   * clock is wrong judges as any other.
   */
  nowMs(): Promise<number>;
}

/** Keeps dead letters and overflow: topics where there is Kafka, a table where there is not. */
export interface AsideStore {
  /**
   * Resolves when all are durable. KAFKA_RECORD_REFUSED and STORE_ROW_REFUSED mean that some of them never will be;
   * others may be durable already, and may be written again.
   */
  writeAside(records: AsideRecord[]): Promise<void>;
}

export interface AsideKey {
  kind: 'dead-letter' | 'overflow';
  reason: string;
  clusterId?: string | undefined;
  nodeId?: string | undefined;
  runId?: string | undefined;
  seq?: number | undefined;
}

export interface AsideReader {
  asideKeys(): AsyncIterable<AsideKey[]>;
}
