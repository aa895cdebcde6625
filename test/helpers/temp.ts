import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What helpers need of a tap test: a place to say what must be undone. */
export interface Teardown {
  teardown(undo: () => unknown): void;
}

/** A new empty folder, removed after the test. */
export async function tempDir(t: Teardown): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ericht-test-'));
  t.teardown(() => rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
  return folder;
}

/** "reports-3f9a1c2b": so that tests share servers without meeting. Fits topics, groups; see randomKeyspace. */
export function randomName(prefix: string): string {
  return `${prefix}-${randomBytes(4).toString('hex')}`;
}

/** Like randomName, in the characters that a keyspace takes unquoted. */
export function randomKeyspace(prefix = 'test'): string {
  return `${prefix}_${randomBytes(4).toString('hex')}`;
}
