import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import t, { test } from 'tap';
import type { Status } from '../../telemetry/status.ts';
import { freePort } from '../helpers/free-port.ts';
import { runEricht, startEricht } from '../helpers/run-ericht.ts';
import { type Teardown, tempDir } from '../helpers/temp.ts';
import { until } from '../helpers/until.ts';

const DISK_BYTES = 8 * 1024 * 1024;
const NOT_ROOT = process.getuid?.() === 0 ? false : 'mounting a small disk takes root';

t.setTimeout(180_000);

/** A disk of its own, small enough to be filled. */
function smallDisk(t: Teardown, folder: string): string {
  const path = join(folder, 'disk');
  mkdirSync(path);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${DISK_BYTES}`, 'tmpfs', path]);
  t.teardown(() => execFileSync('umount', ['-l', path]));
  return path;
}

/** Takes the last byte, whoever else writes meanwhile. */
function fill(path: string): void {
  try {
    for (;;) appendFileSync(path, Buffer.alloc(4096));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

test('with the disk full the page stays up and says so, and goes on when there is room', {
  skip: NOT_ROOT,
}, async (t) => {
  const folder = await tempDir(t);
  const disk = smallDisk(t, folder);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const running = startEricht(t, ['start', '--port', String(port), '--data-dir', join(disk, 'data')], { folder });
  const status = async () => (await (await fetch(`${url}/api/status`)).json()) as Status;
  await until('it stores', async () => {
    try {
      return (await status()).pipeline.store.reachable && (await status()).nodes[0]?.state === 'live';
    } catch {
      // The page is not open yet.
      return undefined;
    }
  });

  const filler = join(disk, 'filler');
  fill(filler);
  const told = await until(
    'the page says so',
    async () => {
      const now = await status();
      return now.pipeline.store.reachable ? undefined : now;
    },
    { limitMs: 60_000 },
  );
  t.match(told.pipeline.store.problem, /full|no (room|space)/i);
  t.match(await (await fetch(url)).text(), /<html/, 'the page is served');

  await rm(filler);
  await until('it stores again', async () => (await status()).pipeline.store.reachable, { limitMs: 60_000 });
  await until('the node is live again', async () => (await status()).nodes[0]?.state === 'live');
  running.process.kill('SIGINT');
  t.equal((await running.ended).code, 0);
  const audit = await runEricht(t, ['audit', '-o', 'json', '--data-dir', join(disk, 'data')], { folder });
  t.equal(audit.code, 0, audit.stderr);
  t.match(JSON.parse(audit.stdout).totals, { lost: 0, duplicates: 0 });
});

test('a run on a disk that was full from the start ends with its counts, and exit code 0', {
  skip: NOT_ROOT,
}, async (t) => {
  const folder = await tempDir(t);
  const disk = smallDisk(t, folder);
  fill(join(disk, 'filler'));
  const args = ['start', '--for', '5s', '-o', 'json', '--port', '0', '--data-dir', join(disk, 'data')];
  const { code, stdout, stderr } = await runEricht(t, args, { folder });
  t.equal(code, 0, stderr);
  const { reports } = JSON.parse(stdout);
  t.ok(reports.sampled > 0);
  t.match(reports, { acknowledged: 0, stored: 0, notSent: reports.sampled, lost: 0, duplicates: 0 });
  t.match(stderr, /full/, 'why is told');
});
