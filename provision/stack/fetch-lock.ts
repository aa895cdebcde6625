import { readFile, rm, writeFile } from 'node:fs/promises';
import { type Clock, sleep } from '../../lib/clock.ts';
import { ErichtError } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';

/**
 * Runs `work` while no other process on this machine does. Maven's local repository is not safe against two writers,
 * and a download is worth waiting for. The lock of a process that died is taken over. Two that take it over in the
 * same instant may both run: the caller's rename decides between them.
 */
export async function withFetchLock(
  path: string,
  { clock, log, limitMs }: { clock: Clock; log: Log; limitMs: number },
  work: () => Promise<void>,
): Promise<void> {
  const until = clock.monotonicMs() + limitMs;
  let told = false;
  while (!(await take(path))) {
    const owner = Number(await readFile(path, 'utf8').catch(() => ''));
    if (owner > 0 && !isAlive(owner)) {
      await rm(path, { force: true });
      continue;
    }
    if (clock.monotonicMs() > until) {
      throw new ErichtError('DEADLINE_EXCEEDED', {
        what: `waiting for process ${owner}, which is fetching`,
        next: `if it hangs, end it; if it is not ericht, remove ${path}`,
      });
    }
    if (!told) log.info({ owner }, `Waiting for process ${owner}, which is fetching`);
    told = true;
    await sleep(clock, 250);
  }
  try {
    await work();
  } finally {
    await rm(path, { force: true });
  }
}

async function take(path: string): Promise<boolean> {
  try {
    await writeFile(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it is there and another user's.
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
