import { readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** All test files below a folder, sorted; what lies in a `fixtures` folder is material for tests and not a test. */
export async function findTestFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((file) => !file.slice(folder.length).split('/').includes('fixtures'))
    .sort();
}
