import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { AsideKey } from '../port.ts';
import { type FetchedRow, REPORT_COLUMNS } from '../row.ts';
import { storeFailure } from './failure.ts';
import { databasePath, openForReading } from './open.ts';
import type { AsideCursor, AsideRow, KeyRow, NodeName, ReaderThread, RowCursor, ThreadSettings } from './protocol.ts';

const BETWEEN = `FROM node_health_by_node_date WHERE cluster_id = ? AND node_id = ?
  AND (day, ts, run_id, seq) > (?, ?, ?, ?) AND (day, ts, run_id, seq) < (?, ?, ?, ?)`;

/** Lives in the reading thread, on a connection of its own: under WAL a long read never blocks the writer. */
export class SqliteReader implements ReaderThread {
  readonly #settings: ThreadSettings;
  readonly #path: string;
  #db: DatabaseSync | undefined;

  constructor(settings: ThreadSettings) {
    this.#settings = settings;
    this.#path = databasePath(settings.directory);
  }

  open(): void {
    this.#db = openForReading(this.#settings.directory, this.#settings.schema);
  }

  clusters(): string[] {
    return this.#all<{ id: string }>('SELECT DISTINCT cluster_id AS id FROM nodes_by_cluster ORDER BY 1').map(
      ({ id }) => id,
    );
  }

  nodes(clusterId: string): string[] {
    const sql = 'SELECT node_id AS id FROM nodes_by_cluster WHERE cluster_id = ? ORDER BY 1';
    return this.#all<{ id: string }>(sql, clusterId).map(({ id }) => id);
  }

  latest(clusterId: string): { report: string; appended_at: number }[] {
    return this.#all('SELECT report, appended_at FROM node_latest WHERE cluster_id = ? ORDER BY node_id', clusterId);
  }

  facts(clusterId: string): { facts: string; appended_at: number }[] {
    return this.#all('SELECT facts, appended_at FROM node_facts WHERE cluster_id = ? ORDER BY node_id', clusterId);
  }

  reports(node: NodeName, from: RowCursor, to: RowCursor, order: 'oldest' | 'newest', limit: number): FetchedRow[] {
    const by = order === 'oldest' ? 'day, ts, run_id, seq' : 'day DESC, ts DESC, run_id DESC, seq DESC';
    return this.#all(
      `SELECT ${REPORT_COLUMNS.join(', ')} ${BETWEEN} ORDER BY ${by} LIMIT ?`,
      ...bounds(node, from, to),
      limit,
    );
  }

  keys(node: NodeName, from: RowCursor, to: RowCursor, limit: number): KeyRow[] {
    return this.#all(
      `SELECT day, ts, run_id, seq, appended_at, drained, goodbye, claim ${BETWEEN}
       ORDER BY day, ts, run_id, seq LIMIT ?`,
      ...bounds(node, from, to),
      limit,
    );
  }

  asideKeys(
    kind: AsideRow['kind'],
    after: AsideCursor | undefined,
    limit: number,
  ): { keys: AsideKey[]; next?: AsideCursor } {
    const table = kind === 'overflow' ? 'overflow' : 'dead_letters';
    const rows = this.#all<AsideKeyRow>(
      `SELECT appended_at, topic, partition, CAST(record_offset AS TEXT) AS record_offset, reason, cluster_id, node_id,
         run_id, seq FROM ${table}
       WHERE (appended_at, topic, partition, record_offset) > (?, ?, ?, ?) ORDER BY 1, 2, 3, ${table}.record_offset LIMIT ?`,
      after?.appendedAt ?? Number.MIN_SAFE_INTEGER,
      after?.topic ?? '',
      after?.partition ?? -1,
      after?.offset ?? -1n,
      limit,
    );
    const keys = rows.map((row) => ({
      kind,
      reason: row.reason,
      clusterId: row.cluster_id ?? undefined,
      nodeId: row.node_id ?? undefined,
      runId: row.run_id ?? undefined,
      seq: row.seq ?? undefined,
    }));
    const last = rows.length < limit ? undefined : rows.at(-1);
    if (!last) return { keys };
    const { appended_at: appendedAt, topic, partition, record_offset } = last;
    return { keys, next: { appendedAt, topic, partition, offset: BigInt(record_offset) } };
  }

  /** 0 when nothing was ever deleted. */
  keptSince(): number {
    const sql = "SELECT max(value) AS value FROM store_state WHERE name IN ('kept_since', 'expired_before')";
    return this.#all<{ value: number | null }>(sql)[0]?.value ?? 0;
  }

  close(): void {
    this.#db?.close();
    this.#db = undefined;
  }

  #all<T>(sql: string, ...values: SQLInputValue[]): T[] {
    try {
      if (!this.#db) throw new Error('it is not open');
      return this.#db.prepare(sql).all(...values) as T[];
    } catch (error) {
      throw storeFailure(error, this.#path);
    }
  }
}

interface AsideKeyRow {
  appended_at: number;
  topic: string;
  partition: number;
  record_offset: string;
  reason: string;
  cluster_id: string | null;
  node_id: string | null;
  run_id: string | null;
  seq: number | null;
}

function bounds({ clusterId, nodeId }: NodeName, from: RowCursor, to: RowCursor): SQLInputValue[] {
  return [clusterId, nodeId, from.day, from.ts, from.runId, from.seq, to.day, to.ts, to.runId, to.seq];
}
