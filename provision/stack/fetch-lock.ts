import { Backoff } from '../../lib/backoff.ts';
import { type Clock, sleep } from '../../lib/clock.ts';
import { ErichtError, reasonOf } from '../../lib/errors.ts';
import { LockFile } from '../../lib/lock-file.ts';
import type { Log } from '../../lib/log.ts';

/**
 * Runs `work` while no other process on this machine does so for this folder. Maven's local repository is not safe
 * against two writers, and a download is worth waiting for. Throws DEADLINE_EXCEEDED when another one takes too long.
 */
export async function withFetchLock(
  folder: string,
  { clock, log, limitMs }: { clock: Clock; log: Log; limitMs: number },
  work: () => Promise<void>,
): Promise<void> {
  const lock = new LockFile(folder, clock);
  const until = clock.monotonicMs() + limitMs;
  const backoff = new Backoff({ baseMs: 250, maxMs: 2000 });
  for (let taken = await tryToTake(lock, folder); taken; taken = await tryToTake(lock, folder)) {
    if (clock.monotonicMs() > until) {
      const next = 'if that process hangs, end it';
      throw new ErichtError('DEADLINE_EXCEEDED', { what: 'waiting for a download', why: taken.what, next });
    }
    if (backoff.attempts === 0) log.info({}, `Another process is fetching: ${taken.what}`);
    await sleep(clock, 50 + backoff.nextDelayMs());
  }
  try {
    await work();
  } finally {
    await lock.release();
  }
}

/** The error that says who has it; undefined once it is ours. */
async function tryToTake(lock: LockFile, folder: string): Promise<ErichtError | undefined> {
  try {
    await lock.acquire();
    return undefined;
  } catch (error) {
    if (error instanceof ErichtError && error.code === 'STATE_DIR_TAKEN') return error;
    if (error instanceof ErichtError) throw error;
    throw new ErichtError('STATE_DIR_UNUSABLE', {
      what: `cannot keep downloads in ${folder}`,
      why: reasonOf(error),
      next: 'set XDG_CACHE_HOME to a folder that can be written to',
      cause: error,
    });
  }
}
