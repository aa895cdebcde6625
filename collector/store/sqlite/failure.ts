import { ErichtError, reasonOf } from '../../../lib/errors.ts';

/** Primary result codes. Source: sqlite.org/rescode.html. */
const BUSY = 5;
const LOCKED = 6;
const READONLY = 8;
const IOERR = 10;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const TOOBIG = 18;
const CONSTRAINT = 19;
const MISMATCH = 20;
const NOTADB = 26;

/** The primary result code of whatever node:sqlite threw; undefined when SQLite did not speak. */
function resultCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | null)?.errcode;
  return typeof code === 'number' ? code & 0xff : undefined;
}

export function isBusy(error: unknown): boolean {
  const code = resultCode(error);
  return code === BUSY || code === LOCKED;
}

/** Whether this one row is at fault: the transaction around it is still whole. */
export function isRowRefusal(error: unknown): boolean {
  const code = resultCode(error);
  if (code === undefined) return error instanceof TypeError || error instanceof RangeError;
  return code === CONSTRAINT || code === TOOBIG || code === MISMATCH;
}

/** What to tell of a failure while the file at `path` was in use. */
export function storeFailure(error: unknown, path: string): ErichtError {
  if (error instanceof ErichtError) return error;
  const why = reasonOf(error);
  switch (resultCode(error)) {
    case FULL:
    case IOERR:
    case READONLY:
    case CANTOPEN:
      return new ErichtError('STORE_FULL', {
        what: `cannot write to ${path}`,
        why,
        next: 'make room on the disk, or lower the retention or the size cap; nothing that was stored is touched',
        cause: error,
      });
    case BUSY:
    case LOCKED:
      return new ErichtError('STORE_OVERLOADED', { what: `${path} is held by another process`, why, cause: error });
    case CORRUPT:
    case NOTADB:
      return damaged(path, error);
    default:
      return new ErichtError('UNEXPECTED', { what: `${path} could not be used`, why, cause: error });
  }
}

/** What to tell when the file at `path` can't even be opened. */
export function openFailure(error: unknown, path: string): ErichtError {
  const code = resultCode(error);
  if (code !== CANTOPEN && code !== READONLY) return storeFailure(error, path);
  return new ErichtError('STATE_DIR_UNUSABLE', {
    what: `cannot open ${path}`,
    why: reasonOf(error),
    next: 'check that the folder exists and that this user may write to it',
    cause: error,
  });
}

function damaged(path: string, cause: unknown): ErichtError {
  return new ErichtError('STATE_DIR_UNUSABLE', {
    what: `${path} is damaged or not a database`,
    why: reasonOf(cause),
    next: 'move the file and those beside it (-wal, -shm) away and start again; what it held is then not stored',
    cause,
  });
}
