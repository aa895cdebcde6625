import { statSync } from 'node:fs';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { FileSize, NodeName } from './protocol.ts';

const HOUR_MS = 3_600_000;
const ASIDE_TABLES = ['dead_letters', 'overflow'] as const;

/**
 * How much of the oldest time goes at once when the cap is reached: every node gives up the same span. A part of what is
 * there where that is less than some hours, or a fast node would leave nothing.
 */
const EVICTION_SPAN_MS = HOUR_MS;
const EVICTION_RATIO = 0.05;

/** Deletes in slices, so that a deletion never keeps a write waiting for long. */
export class Room {
  readonly #db: DatabaseSync;
  readonly #path: string;
  readonly #nodes: StatementSync;
  readonly #oldest: StatementSync;
  readonly #newest: StatementSync;
  readonly #bound: StatementSync;
  readonly #delete: StatementSync;

  constructor(db: DatabaseSync, path: string) {
    const where = 'FROM node_health_by_node_date WHERE cluster_id = ? AND node_id = ?';
    this.#db = db;
    this.#path = path;
    this.#nodes = db.prepare('SELECT cluster_id AS clusterId, node_id AS nodeId FROM nodes_by_cluster');
    this.#oldest = db.prepare(`SELECT ts ${where} ORDER BY day, ts LIMIT 1`);
    this.#newest = db.prepare(`SELECT ts ${where} ORDER BY day DESC, ts DESC LIMIT 1`);
    this.#bound = db.prepare(
      `SELECT day, ts ${where} AND (day, ts) < (strftime('%F', ? / 1000, 'unixepoch'), ?) ORDER BY day, ts LIMIT 1 OFFSET ?`,
    );
    this.#delete = db.prepare(`DELETE ${where} AND (day, ts) <= (?, ?)`);
  }

  /** Answers how many rows went; 0 when nothing is left to delete. A slice is at most about `limit` rows. */
  deleteBefore(rawBefore: number, asideBefore: number, limit: number): number {
    return this.#transaction(() => {
      const deleted = this.#deleteSlice(rawBefore, asideBefore, limit);
      this.#noteExpired(rawBefore, deleted > 0);
      return deleted;
    });
  }

  /** Deletes the oldest span of all nodes and notes that rows before its end may be gone. */
  evictOldest(limit: number): number {
    const span = this.#storedSpan();
    if (span === undefined) return 0;
    const { oldest, newest } = span;
    const before = oldest + Math.max(1, Math.min(EVICTION_SPAN_MS, Math.floor((newest - oldest) * EVICTION_RATIO)));
    return this.#transaction(() => {
      this.#db
        .prepare(
          "INSERT INTO store_state VALUES ('kept_since', ?) ON CONFLICT DO UPDATE SET value = max(value, excluded.value)",
        )
        .run(before);
      return this.#deleteSlice(before, before, limit);
    });
  }

  /** What can still be written before the file is at its cap. */
  availableBytes(): number {
    const unused = this.#pragma('max_page_count') - this.#pragma('page_count');
    return (Math.max(0, unused) + this.#pragma('freelist_count')) * this.#pragma('page_size');
  }

  maxBytes(): number {
    return this.#pragma('max_page_count') * this.#pragma('page_size');
  }

  shrink(pages: number): void {
    this.#db.exec(`PRAGMA incremental_vacuum(${Math.floor(pages)}); PRAGMA wal_checkpoint(TRUNCATE);`);
  }

  size(): FileSize {
    const pageBytes = this.#pragma('page_size');
    const freeBytes = this.#pragma('freelist_count') * pageBytes;
    return {
      bytes: fileBytes(this.#path) + fileBytes(`${this.#path}-wal`),
      usedBytes: this.#pragma('page_count') * pageBytes - freeBytes,
      freeBytes,
    };
  }

  /**
   * Readers judge by this note and by no clock of their own. It also goes back: after a deletion by a clock that was
   * years ahead, the rows that are written from then on are not called gone.
   */
  #noteExpired(before: number, someWent: boolean): void {
    const state = this.#db.prepare("SELECT value FROM store_state WHERE name = 'expired_before'").get();
    if (!someWent && !(state && (state as { value: number }).value > before)) return;
    this.#db
      .prepare("INSERT INTO store_state VALUES ('expired_before', ?) ON CONFLICT DO UPDATE SET value = excluded.value")
      .run(before);
  }

  #deleteSlice(rawBefore: number, asideBefore: number, limit: number): number {
    let deleted = 0;
    for (const { clusterId, nodeId } of this.#nodes.all() as unknown as NodeName[]) {
      if (deleted >= limit) return deleted;
      const bound = (offset: number) =>
        this.#bound.get(clusterId, nodeId, rawBefore, rawBefore, offset) as { day: string; ts: number } | undefined;
      if (bound(0) === undefined) continue;
      const last = bound(limit - deleted - 1) ?? this.#lastBefore(clusterId, nodeId, rawBefore);
      deleted += Number(this.#delete.run(clusterId, nodeId, last.day, last.ts).changes);
    }
    for (const table of ASIDE_TABLES) {
      if (deleted >= limit) return deleted;
      const rows = `SELECT appended_at, topic, partition, record_offset FROM ${table} WHERE appended_at < ? LIMIT ?`;
      const key = '(appended_at, topic, partition, record_offset)';
      const { changes } = this.#db
        .prepare(`DELETE FROM ${table} WHERE ${key} IN (${rows})`)
        .run(asideBefore, limit - deleted);
      deleted += Number(changes);
    }
    return deleted;
  }

  #lastBefore(clusterId: string, nodeId: string, before: number): { day: string; ts: number } {
    return this.#db
      .prepare(
        `SELECT day, ts FROM node_health_by_node_date WHERE cluster_id = ? AND node_id = ?
         AND (day, ts) < (strftime('%F', ? / 1000, 'unixepoch'), ?) ORDER BY day DESC, ts DESC LIMIT 1`,
      )
      .get(clusterId, nodeId, before, before) as { day: string; ts: number };
  }

  #storedSpan(): { oldest: number; newest: number } | undefined {
    const instants: number[] = [];
    for (const { clusterId, nodeId } of this.#nodes.all() as unknown as NodeName[]) {
      for (const statement of [this.#oldest, this.#newest]) {
        const row = statement.get(clusterId, nodeId) as { ts: number } | undefined;
        if (row) instants.push(row.ts);
      }
    }
    for (const table of ASIDE_TABLES) {
      const { oldest, newest } = this.#db
        .prepare(`SELECT min(appended_at) AS oldest, max(appended_at) AS newest FROM ${table}`)
        .get() as { oldest: number | null; newest: number | null };
      if (oldest !== null && newest !== null) instants.push(oldest, newest);
    }
    if (instants.length === 0) return undefined;
    return instants.reduce(
      ({ oldest, newest }, ts) => ({ oldest: Math.min(oldest, ts), newest: Math.max(newest, ts) }),
      {
        oldest: Number.POSITIVE_INFINITY,
        newest: Number.NEGATIVE_INFINITY,
      },
    );
  }

  #transaction(work: () => number): number {
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const deleted = work();
      this.#db.exec('COMMIT');
      return deleted;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  #pragma(name: string): number {
    return Object.values(this.#db.prepare(`PRAGMA ${name}`).get() ?? {})[0] as number;
  }
}

function fileBytes(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
