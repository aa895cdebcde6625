import type { DatabaseSync } from 'node:sqlite';
import type { ColumnValue } from '../row.ts';
import { storeFailure } from './failure.ts';
import { databasePath, lockFolder, openForWriting } from './open.ts';
import { Operations } from './operations.ts';
import type { FileSize, ThreadSettings, WriteOperation, WriteResult, WriterThread } from './protocol.ts';
import { Room } from './room.ts';

/** Rows deleted at once to make room for a write. */
const EVICT_ROWS = 5000;
/** Part of the file that is freed then, so that the next writes don't evict again. */
const EVICT_RATIO = 0.05;
const MAX_EVICTIONS_PER_WRITE = 40;
/** Scalars of a row. */
const ROW_BASE_BYTES = 200;
/** Newest reports, facts and anchors: one row per node, most of them there already. */
const MISCELLANEOUS_BYTES = 64 * 1024;

/** Lives in the writing thread: one connection, one transaction per call. */
export class SqliteWriter implements WriterThread {
  readonly #settings: ThreadSettings;
  readonly #path: string;
  #lock: DatabaseSync | undefined;
  #opened: { db: DatabaseSync; tables: Operations; room: Room } | undefined;

  constructor(settings: ThreadSettings) {
    this.#settings = settings;
    this.#path = databasePath(settings.directory);
  }

  open(now: number): void {
    const { directory, schema, maxFileBytes } = this.#settings;
    this.#lock = lockFolder(directory);
    try {
      const db = openForWriting(directory, schema, maxFileBytes, now);
      this.#opened = { db, tables: new Operations(db), room: new Room(db, this.#path) };
    } catch (error) {
      this.close();
      throw error;
    }
  }

  write(operations: WriteOperation[], now: number): WriteResult[] {
    try {
      this.#makeRoom(operations);
      return this.#transaction(operations, now);
    } catch (error) {
      throw storeFailure(error, this.#path);
    }
  }

  deleteBefore(rawBefore: number, asideBefore: number, limit: number): number {
    return this.#guarded((room) => room.deleteBefore(rawBefore, asideBefore, limit));
  }

  evictOldest(limit: number): number {
    return this.#guarded((room) => room.evictOldest(limit));
  }

  shrink(pages: number): void {
    this.#guarded((room) => room.shrink(pages));
  }

  size(): FileSize {
    return this.#guarded((room) => room.size());
  }

  close(): void {
    this.#opened?.db.close();
    this.#opened = undefined;
    this.#lock?.close();
    this.#lock = undefined;
  }

  #transaction(operations: WriteOperation[], now: number): WriteResult[] {
    const { db, tables } = this.#open();
    db.exec('BEGIN IMMEDIATE');
    try {
      const results = operations.map((operation) => tables.apply(operation, now));
      db.exec('COMMIT');
      tables.committed();
      return results;
    } catch (error) {
      tables.rolledBack();
      if (db.isTransaction) db.exec('ROLLBACK');
      throw error;
    }
  }

  /** Lets the oldest rows go before a write that would bring the file over its cap. */
  #makeRoom(operations: WriteOperation[]): void {
    const { room } = this.#open();
    // Pages split while rows come out of order, so they are counted half full.
    const needed = 2 * operations.reduce((bytes, operation) => bytes + bytesOf(operation), 0);
    if (room.availableBytes() >= needed) return;
    const wanted = Math.max(needed, room.maxBytes() * EVICT_RATIO);
    for (let round = 0; round < MAX_EVICTIONS_PER_WRITE && room.availableBytes() < wanted; round += 1) {
      if (room.evictOldest(EVICT_ROWS) === 0) return;
    }
  }

  #guarded<T>(work: (room: Room) => T): T {
    try {
      return work(this.#open().room);
    } catch (error) {
      throw storeFailure(error, this.#path);
    }
  }

  #open(): { db: DatabaseSync; tables: Operations; room: Room } {
    if (!this.#opened) throw new Error('it is not open');
    return this.#opened;
  }
}

/** About what an operation adds to the file. */
function bytesOf(operation: WriteOperation): number {
  switch (operation.kind) {
    case 'reports':
      return operation.rows.reduce((bytes, row) => bytes + ROW_BASE_BYTES + lengthOf(row), 0);
    case 'aside':
      return operation.rows.reduce((bytes, row) => bytes + ROW_BASE_BYTES + (row.value?.length ?? 0), 0);
    default:
      return MISCELLANEOUS_BYTES;
  }
}

function lengthOf(row: ColumnValue[]): number {
  return row.reduce<number>((sum, value) => sum + (typeof value === 'string' ? value.length : 0), 0);
}
