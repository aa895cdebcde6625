import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ErichtError, reasonOf } from '../../../lib/errors.ts';
import { makeDirectorySync } from '../../../lib/make-directory.ts';
import { type SchemaFile, schemaTooNew, schemaTooOld } from '../schema-files.ts';
import { isBusy, openFailure, storeFailure } from './failure.ts';

/**
 * A row with lists is up to some 4 KiB. In a table without rowid a row stays in its page only up to a quarter of it,
 * beyond it takes whole pages of its own; 16 KiB keeps a node's day under 100 MB.
 */
export const PAGE_BYTES = 16_384;

/** The log is folded into the file after this much, or after a share of a small file, whose cap leaves little for it. */
const CHECKPOINT_PAGES = 256;
const CHECKPOINT_RATIO = 1 / 12;
/** After a fold the log is cut to this. */
const LOG_LIMIT_BYTES = 8 * 1024 * 1024;
/** Between two folds it can grow by the largest transactions; the cap leaves this much for it. */
const LOG_RESERVE_BYTES = 32 * 1024 * 1024;

/** The database file's part of a cap on file and log together. */
export function maxFileBytes(maxBytes: number): number {
  return maxBytes - Math.min(LOG_RESERVE_BYTES, maxBytes / 4);
}

/** How long a connection waits for another one's short lock before it gives up. */
const BUSY_TIMEOUT_MS = 2000;

export function databasePath(directory: string): string {
  return join(directory, 'ericht.db');
}

/**
 * Takes the folder for one writing process. The operating system drops the lock with the process, so a kill -9 leaves
 * nothing to clean up. Throws STATE_DIR_TAKEN.
 */
export function lockFolder(directory: string): DatabaseSync {
  try {
    makeDirectorySync(directory);
  } catch (error) {
    throw new ErichtError('STATE_DIR_UNUSABLE', {
      what: `cannot make the folder ${directory}`,
      why: reasonOf(error),
      next: 'name another one with --data-dir',
    });
  }
  const path = join(directory, 'ericht.lock');
  let lock: DatabaseSync | undefined;
  try {
    lock = new DatabaseSync(path, { timeout: 0 });
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (error) {
    lock?.close();
    if (!isBusy(error)) throw openFailure(error, path);
    throw new ErichtError('STATE_DIR_TAKEN', {
      what: `another process stores into ${directory}`,
      next: 'stop it, or name another folder with --data-dir',
    });
  }
}

/** Opens the file for writing, makes it if need be, and brings its tables up to the newest schema. */
export function openForWriting(
  directory: string,
  schema: SchemaFile[],
  maxFileBytes: number,
  now: number,
): DatabaseSync {
  const path = databasePath(directory);
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS });
    // Both only take effect on an empty file.
    db.exec(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA auto_vacuum = INCREMENTAL;`);
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
    const checkpointPages = Math.min(CHECKPOINT_PAGES, Math.floor((maxFileBytes * CHECKPOINT_RATIO) / PAGE_BYTES));
    const logLimitBytes = Math.min(LOG_LIMIT_BYTES, 2 * checkpointPages * PAGE_BYTES);
    db.exec(`PRAGMA wal_autocheckpoint = ${checkpointPages}; PRAGMA journal_size_limit = ${logLimitBytes};`);
    migrate(db, path, schema, now);
    const { page_size: pageBytes } = db.prepare('PRAGMA page_size').get() as { page_size: number };
    db.exec(`PRAGMA max_page_count = ${Math.max(16, Math.floor(maxFileBytes / pageBytes))}`);
    return db;
  } catch (error) {
    db?.close();
    throw openFailure(error, path);
  }
}

/** Opens an existing file for reading. Throws STORE_EMPTY if there is none. */
export function openForReading(directory: string, schema: SchemaFile[]): DatabaseSync {
  const path = databasePath(directory);
  const empty = (why: string) =>
    new ErichtError('STORE_EMPTY', {
      what: `nothing is stored in ${path}`,
      why,
      next: 'start it with npm start, or name the right folder with --data-dir',
    });
  if (!isThere(path)) throw empty('there is no such file');
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
    const version = schemaVersion(db);
    if (version === 0) throw empty('it has no tables');
    if (version > schema.length) throw schemaTooNew(path, version, schema.length);
    if (version < schema.length) throw schemaTooOld(path, version, schema.length);
    return db;
  } catch (error) {
    db?.close();
    throw openFailure(error, path);
  }
}

/** Throws STATE_DIR_UNUSABLE where this user can't tell: what may not be looked at is not nothing. */
function isThere(path: string): boolean {
  try {
    if (statSync(path).isFile()) return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw new ErichtError('STATE_DIR_UNUSABLE', {
      what: `cannot look at ${path}`,
      why: reasonOf(error),
      next: 'run it as the user that stores there, or name another folder with --data-dir',
      cause: error,
    });
  }
  throw new ErichtError('STATE_DIR_UNUSABLE', {
    what: `${path} is no file`,
    next: 'move it away, or name another folder with --data-dir',
  });
}

/** Applies each missing schema file in a transaction of its own, together with the note that it was applied. */
function migrate(db: DatabaseSync, path: string, schema: SchemaFile[], now: number): void {
  const found = schemaVersion(db);
  if (found > schema.length) throw schemaTooNew(path, found, schema.length);
  for (const { version, name, text } of schema.slice(found)) {
    try {
      db.exec('BEGIN IMMEDIATE');
      db.exec(
        'CREATE TABLE IF NOT EXISTS schema_versions (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at INTEGER NOT NULL) STRICT',
      );
      db.exec(text);
      db.prepare('INSERT INTO schema_versions VALUES (?, ?, ?)').run(version, name, now);
      db.exec('COMMIT');
    } catch (error) {
      if (db.isTransaction) db.exec('ROLLBACK');
      throw storeFailure(error, path);
    }
  }
}

function schemaVersion(db: DatabaseSync): number {
  const known = db.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'schema_versions'").get();
  if (known === undefined) return 0;
  return (
    (db.prepare('SELECT max(version) AS version FROM schema_versions').get() as { version: number | null }).version ?? 0
  );
}
