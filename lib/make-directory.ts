import { mkdirSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Makes a directory and what is missing above it. Not by Node's `recursive`: where a parent is there and refuses with
 * ENOENT, as /proc does, Node 24 tries again for ever.
 */
export async function makeDirectory(path: string, mode = 0o750): Promise<void> {
  try {
    await mkdirIfMissing(path, mode);
  } catch (error) {
    const parent = dirname(path);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === path) throw error;
    await makeDirectory(parent, mode);
    await mkdirIfMissing(path, mode);
  }
}

async function mkdirIfMissing(path: string, mode: number): Promise<void> {
  try {
    await mkdir(path, { mode });
  } catch (error) {
    // A file of that name shows when something is put into it, with an error that says so.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** The same for a worker thread that has nothing else to do meanwhile. */
export function makeDirectorySync(path: string, mode = 0o750): void {
  try {
    mkdirIfMissingSync(path, mode);
  } catch (error) {
    const parent = dirname(path);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || parent === path) throw error;
    makeDirectorySync(parent, mode);
    mkdirIfMissingSync(path, mode);
  }
}

function mkdirIfMissingSync(path: string, mode: number): void {
  try {
    mkdirSync(path, { mode });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
