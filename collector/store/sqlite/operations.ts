import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { reasonOf } from '../../../lib/errors.ts';
import { type ColumnValue, REPORT_COLUMNS } from '../row.ts';
import { isRowRefusal } from './failure.ts';
import type { AsideRow, FactsRow, LatestRow, NodeName, WriteOperation, WriteResult } from './protocol.ts';

/** Names remembered as registered; beyond this they are simply registered again. */
const MAX_REMEMBERED_NODES = 10_000;

const INSERT_REPORT = `INSERT INTO node_health_by_node_date (${REPORT_COLUMNS.join(', ')})
  VALUES (${REPORT_COLUMNS.map(() => '?').join(', ')}) ON CONFLICT DO NOTHING`;

const INSERT_ASIDE = (table: string) =>
  `INSERT INTO ${table} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`;

/**
 * Within one boot the uptime decides what is newer, so that a clock that is set back doesn't freeze the newest report;
 * between boots the append time does. One that lies ahead of this machine's clock was given before the clock was set
 * back, and orders nothing.
 */
const UPSERT_LATEST = `
  INSERT INTO node_latest (cluster_id, node_id, appended_at, record_offset, boot_id, uptime_ms, report)
  VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET appended_at = excluded.appended_at, record_offset = excluded.record_offset,
    boot_id = excluded.boot_id, uptime_ms = excluded.uptime_ms, report = excluded.report
  WHERE CASE WHEN excluded.boot_id = node_latest.boot_id AND excluded.uptime_ms <> node_latest.uptime_ms
    THEN excluded.uptime_ms > node_latest.uptime_ms
    ELSE (excluded.appended_at, excluded.record_offset) > (node_latest.appended_at, node_latest.record_offset)
      OR node_latest.appended_at > ? END`;

/** What each write operation does to the tables, inside of a transaction that the caller begins and ends. */
export class Operations {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #known = new Set<string>();
  readonly #registered = new Set<string>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** To be called when the transaction is committed: only then are its new names surely registered. */
  committed(): void {
    if (this.#known.size > MAX_REMEMBERED_NODES) this.#known.clear();
    for (const name of this.#registered) this.#known.add(name);
    this.#registered.clear();
  }

  rolledBack(): void {
    this.#registered.clear();
  }

  /** What is wrong with one operation must not hurt those of other callers beside it. */
  apply(operation: WriteOperation, now: number): WriteResult {
    try {
      return this.#applyTogether(operation, now);
    } catch (error) {
      if (!isRowRefusal(error)) throw error;
      const what = `the store can't take what was to be written (${operation.kind})`;
      return { error: { code: 'STORE_ROW_REFUSED', what, why: reasonOf(error) } };
    }
  }

  #applyTogether(operation: WriteOperation, now: number): WriteResult {
    switch (operation.kind) {
      case 'reports':
        return { refused: operation.rows.map((row) => this.#insertReport(row)) };
      case 'latest':
        for (const row of operation.rows) this.#upsertLatest(row, now);
        return {};
      case 'facts':
        for (const row of operation.rows) this.#upsertFacts(row, now);
        return {};
      case 'aside':
        for (const row of operation.rows) this.#insertAside(row);
        return {};
      case 'anchor':
        return { anchoredAt: this.#anchor(operation.node, operation.bootId, operation.proposedAt) };
    }
  }

  /** A replay meets its own row and changes nothing. ON CONFLICT, not OR IGNORE: that would swallow bad rows too. */
  #insertReport(values: ColumnValue[]): string | null {
    const insert = this.#prepare('report', () => INSERT_REPORT);
    try {
      insert.run(...values.map(toSql));
    } catch (error) {
      if (isRowRefusal(error)) return reasonOf(error);
      throw error;
    }
    this.#register({ clusterId: values[0] as string, nodeId: values[1] as string });
    return null;
  }

  #upsertLatest(row: LatestRow, now: number): void {
    this.#prepare('latest', () => UPSERT_LATEST).run(
      row.clusterId,
      row.nodeId,
      row.appendedAt,
      row.offset,
      row.bootId,
      row.uptimeMs,
      row.report,
      now,
    );
    this.#register(row);
  }

  #upsertFacts(row: FactsRow, now: number): void {
    const sql = `INSERT INTO node_facts (cluster_id, node_id, appended_at, facts) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET appended_at = excluded.appended_at, facts = excluded.facts
      WHERE excluded.appended_at >= node_facts.appended_at OR node_facts.appended_at > ?`;
    this.#prepare('facts', () => sql).run(row.clusterId, row.nodeId, row.appendedAt, row.facts, now);
    this.#register(row);
  }

  #insertAside(row: AsideRow): void {
    const table = row.kind === 'overflow' ? 'overflow' : 'dead_letters';
    this.#prepare(table, () => INSERT_ASIDE(table)).run(
      row.appendedAt,
      row.topic,
      row.partition,
      row.offset,
      row.reason,
      row.detail,
      row.clusterId ?? null,
      row.nodeId ?? null,
      row.runId ?? null,
      row.seq ?? null,
      row.key,
      row.headers,
      row.value,
    );
  }

  #anchor({ clusterId, nodeId }: NodeName, bootId: string, proposedAt: number): number {
    const insert = 'INSERT INTO boot_anchors VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING';
    this.#prepare('anchor', () => insert).run(clusterId, nodeId, bootId, proposedAt);
    const select = 'SELECT anchored_at FROM boot_anchors WHERE cluster_id = ? AND node_id = ? AND boot_id = ?';
    const row = this.#prepare('anchored', () => select).get(clusterId, nodeId, bootId);
    return (row as { anchored_at: number }).anchored_at;
  }

  #register({ clusterId, nodeId }: NodeName): void {
    const name = `${clusterId}/${nodeId}`;
    if (this.#known.has(name) || this.#registered.has(name)) return;
    this.#prepare('node', () => 'INSERT INTO nodes_by_cluster VALUES (?, ?) ON CONFLICT DO NOTHING').run(
      clusterId,
      nodeId,
    );
    this.#registered.add(name);
  }

  #prepare(name: string, sql: () => string): StatementSync {
    let statement = this.#statements.get(name);
    if (!statement) {
      statement = this.#db.prepare(sql());
      this.#statements.set(name, statement);
    }
    return statement;
  }
}

function toSql(value: ColumnValue): SQLInputValue {
  if (value === undefined) return null;
  return typeof value === 'boolean' ? Number(value) : value;
}
