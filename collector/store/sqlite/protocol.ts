import { ErichtError, type ErrorCode } from '../../../lib/errors.ts';
import type { AsideKey } from '../port.ts';
import type { ColumnValue, FetchedRow } from '../row.ts';
import type { SchemaFile } from '../schema-files.ts';

/** What a worker thread is made with. */
export interface ThreadSettings {
  role: 'writer' | 'reader';
  directory: string;
  /** Hard limit of the database file in bytes (writer only). */
  maxFileBytes: number;
  schema: SchemaFile[];
}

/** Names every value of one call, so that main thread and worker agree at compile time. */
export interface ThreadRequest {
  id: number;
  method: string;
  args: unknown[];
}

export type ThreadReply = { id: number; result: unknown } | { id: number; error: PlainError };

/** An ErichtError as it passes between threads. */
export interface PlainError {
  code: ErrorCode;
  what: string;
  why?: string | undefined;
  next?: string | undefined;
}

export function plainError({ code, what, why, next }: ErichtError): PlainError {
  return { code, what, why, next };
}

export function errorOf({ code, what, why, next }: PlainError): ErichtError {
  return new ErichtError(code, { what, ...(why !== undefined && { why }), ...(next !== undefined && { next }) });
}

export interface NodeName {
  clusterId: string;
  nodeId: string;
}

export interface LatestRow extends NodeName {
  appendedAt: number;
  offset: bigint;
  bootId: string;
  uptimeMs: number;
  /** The report as JSON. */
  report: string;
}

export interface FactsRow extends NodeName {
  appendedAt: number;
  /** The facts as JSON. */
  facts: string;
}

export interface AsideRow {
  kind: 'dead-letter' | 'overflow';
  appendedAt: number;
  topic: string;
  partition: number;
  offset: bigint;
  reason: string;
  detail: string;
  clusterId?: string | undefined;
  nodeId?: string | undefined;
  runId?: string | undefined;
  seq?: number | undefined;
  key: Uint8Array | null;
  headers: string;
  value: Uint8Array | null;
}

/** One thing to write; several share a transaction. */
export type WriteOperation =
  | { kind: 'reports'; rows: ColumnValue[][] }
  | { kind: 'latest'; rows: LatestRow[] }
  | { kind: 'facts'; rows: FactsRow[] }
  | { kind: 'aside'; rows: AsideRow[] }
  | { kind: 'anchor'; node: NodeName; bootId: string; proposedAt: number };

export interface WriteResult {
  /** One entry per row of a reports operation: why it was refused, or null. */
  refused?: (string | null)[];
  anchoredAt?: number;
  /** The operation holds something that will never be taken; those that share its transaction are stored. */
  error?: PlainError;
}

export interface FileSize {
  /** Database and write-ahead log as they lie on the disk. */
  bytes: number;
  /** Of the database file: pages that hold something. */
  usedBytes: number;
  freeBytes: number;
}

/** The writing thread's methods. Each runs to its end before the next begins. */
export interface WriterThread {
  open(now: number): void;
  /** `now`: this machine's wall time, epoch milliseconds. */
  write(operations: WriteOperation[], now: number): WriteResult[];
  /** Deletes at most about `limit` rows placed before `rawBefore` and records set aside before `asideBefore`. */
  deleteBefore(rawBefore: number, asideBefore: number, limit: number): number;
  /** Deletes at most about `limit` of the oldest rows of all nodes. */
  evictOldest(limit: number): number;
  /** Gives at most `pages` free pages, and what the log takes, back to the file system. */
  shrink(pages: number): void;
  size(): FileSize;
  close(): void;
}

/** Position after the last row of a page. */
export interface RowCursor {
  day: string;
  ts: number;
  runId: string;
  seq: number;
}

export interface KeyRow {
  day: string;
  ts: number;
  run_id: string;
  seq: number;
  appended_at: number;
  drained: number;
  goodbye: number | null;
  claim: string | null;
}

export interface AsideCursor {
  appendedAt: number;
  topic: string;
  partition: number;
  offset: bigint;
}

/** The reading thread's methods; each answers one bounded page. */
export interface ReaderThread {
  open(): void;
  clusters(): string[];
  nodes(clusterId: string): string[];
  latest(clusterId: string): { report: string; appended_at: number }[];
  facts(clusterId: string): { facts: string; appended_at: number }[];
  /** Rows strictly between two positions, from `from` on ('oldest') or back from `to` ('newest'). */
  reports(node: NodeName, from: RowCursor, to: RowCursor, order: 'oldest' | 'newest', limit: number): FetchedRow[];
  keys(node: NodeName, from: RowCursor, to: RowCursor, limit: number): KeyRow[];
  asideKeys(
    kind: AsideRow['kind'],
    after: AsideCursor | undefined,
    limit: number,
  ): { keys: AsideKey[]; next?: AsideCursor };
  keptSince(): number;
  close(): void;
}
