import { types } from 'cassandra-driver';
import { clampInstant, countDays, daysBetween } from '../days.ts';
import type { ReportQuery, RowKey, StoredReport } from '../port.ts';
import { claimOf, type FetchedRow, fromRow, REPORT_COLUMNS } from '../row.ts';
import type { Connection } from './connection.ts';

/** A longer span is not asked day by day: the partitions that exist are listed instead. */
const MAX_DAYS_ASKED = 62;
/** Rows of one page. */
const PAGE_ROWS = 2000;
const KEY_COLUMNS = 'ts, run_id, seq, appended_at, drained, goodbye, claim';

type Order = 'oldest' | 'newest';

/** Reads node_health_by_node_date, one partition (a node's day) after the other. */
export class ReportReader {
  readonly #connection: Connection;
  readonly #table: string;

  constructor(connection: Connection, keyspace: string) {
    this.#connection = connection;
    this.#table = `${keyspace}.node_health_by_node_date`;
  }

  async reports(query: ReportQuery, order: Order, limit: number): Promise<StoredReport[]> {
    const found: StoredReport[] = [];
    if (limit < 1) return found;
    for await (const rows of this.#rows(REPORT_COLUMNS.join(', '), query, order, Math.min(limit, PAGE_ROWS))) {
      for (const row of rows) {
        found.push(fromRow(fetched(row)));
        if (found.length >= limit) return found;
      }
    }
    return found;
  }

  async *keys(query: ReportQuery): AsyncGenerator<RowKey[]> {
    for await (const rows of this.#rows(KEY_COLUMNS, query, 'oldest', PAGE_ROWS)) {
      yield rows.map((row) => {
        const { ts, run_id, seq, appended_at, drained, goodbye, claim } = fetched(row);
        return {
          runId: run_id as string,
          seq: seq as number,
          placedAt: ts as number,
          appendedAt: appended_at as number,
          drained: Boolean(drained),
          goodbye: Boolean(goodbye),
          claim: claimOf(claim),
        };
      });
    }
  }

  async *#rows(columns: string, query: ReportQuery, order: Order, pageRows: number): AsyncGenerator<types.Row[]> {
    const fromMs = clampInstant(query.fromMs);
    const toMs = clampInstant(query.toMs);
    if (fromMs >= toMs) return;
    const days = await this.#days(query, fromMs, toMs);
    if (order === 'newest') days.reverse();
    const by = order === 'newest' ? 'ts DESC, run_id DESC, seq DESC' : 'ts ASC, run_id ASC, seq ASC';
    const select = `SELECT ${columns} FROM ${this.#table}
      WHERE cluster_id = ? AND node_id = ? AND day = ? AND ts >= ? AND ts < ? ORDER BY ${by}`;
    for (const day of days) {
      yield* this.#connection.pages(select, [query.clusterId, query.nodeId, day, fromMs, toMs], pageRows);
    }
  }

  /** Oldest first. */
  async #days(query: ReportQuery, fromMs: number, toMs: number): Promise<string[]> {
    if (countDays(fromMs, toMs) <= MAX_DAYS_ASKED) return daysBetween(fromMs, toMs);
    const days: string[] = [];
    const select = `SELECT DISTINCT cluster_id, node_id, day FROM ${this.#table}`;
    for await (const rows of this.#connection.pages(select, [])) {
      for (const row of rows) {
        if (row.cluster_id === query.clusterId && row.node_id === query.nodeId) days.push(String(row.day));
      }
    }
    return days.sort();
  }
}

/** The driver's own types as plain values. */
function fetched(row: types.Row): FetchedRow {
  const plain: Record<string, unknown> = {};
  for (const name of row.keys()) {
    const value = row[name] as unknown;
    if (value instanceof Date) plain[name] = value.getTime();
    else if (value instanceof types.Long) plain[name] = value.toNumber();
    else if (value instanceof types.LocalDate) plain[name] = value.toString();
    else plain[name] = value;
  }
  return plain as FetchedRow;
}
