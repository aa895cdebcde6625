import type { Report } from '../telemetry/report.ts';

/** A record as it came in, before anything was believed of it. */
export interface IncomingRecord {
  topic: string;
  partition: number;
  /** Kafka's offset as text; the link counts its own. */
  offset: string;
  key: Buffer | null;
  value: Buffer | null;
  headers: Record<string, string>;
  /** Kafka's append time (the link: time of receipt), epoch milliseconds: the one clock that all nodes share. */
  appendedAt: number;
}

/** A report that has been decoded and placed in time. */
export interface PlacedReport {
  report: Report;
  /** The row's time: the report's own, or anchor + uptime while the board's clock was not synchronised. */
  placedAt: number;
  appendedAt: number;
  offset: string;
}

export type AsideReason =
  | 'malformed-json'
  | 'wrong-schema-version'
  | 'invalid-report'
  | 'too-large'
  | 'no-value'
  | 'time-in-future'
  | 'time-too-old'
  | 'store-refused';

/** Of the words that say why a record is kept aside. */
export const MAX_DETAIL_CHARACTERS = 1000;

/** A record that is kept beside the tables: a dead letter, or overflow. */
export interface AsideRecord {
  kind: 'dead-letter' | 'overflow';
  reason: AsideReason | 'over-limit';
  /** Why, in words, at most MAX_DETAIL_CHARACTERS. */
  detail: string;
  record: IncomingRecord;
  /** Set when `record` holds only the beginning of the body: how long that was. */
  originalBytes?: number;
  /** Who sent it, as far as the bytes tell. */
  clusterId?: string | undefined;
  nodeId?: string | undefined;
  runId?: string | undefined;
  seq?: number | undefined;
}
