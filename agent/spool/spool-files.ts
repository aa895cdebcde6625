import { open, readdir, readFile, rm } from 'node:fs/promises';
import { syncDirectory } from '../../lib/atomic-file.ts';
import { makeDirectory } from '../../lib/make-directory.ts';

/** A file that only grows. */
export interface AppendFile {
  /** Writes all of `bytes` at the end, or throws. */
  append(bytes: Buffer): Promise<void>;
  /** Resolves once everything appended survives a power cut. */
  sync(): Promise<void>;
  close(): Promise<void>;
}

/** The few things that a spool asks of a file system; tests pass one that fills up, fails or loses its power. */
export interface SpoolFiles {
  makeDirectory(path: string): Promise<void>;
  list(path: string): Promise<string[]>;
  /** Makes a new file; its name survives a power cut. Throws if it is there. */
  create(directory: string, path: string): Promise<AppendFile>;
  read(path: string): Promise<Buffer>;
  remove(path: string): Promise<void>;
}

export const diskFiles: SpoolFiles = {
  makeDirectory: (path) => makeDirectory(path),
  list: (path) => readdir(path),
  read: (path) => readFile(path),
  remove: (path) => rm(path, { force: true }),
  async create(directory, path) {
    const file = await open(path, 'ax', 0o640);
    await syncDirectory(directory);
    return {
      append: (bytes) => file.appendFile(bytes),
      sync: () => file.datasync(),
      close: () => file.close(),
    };
  },
};
