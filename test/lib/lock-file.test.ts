import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { systemClock } from '../../lib/clock.ts';
import { LockFile } from '../../lib/lock-file.ts';
import { tempDir } from '../helpers/temp.ts';
import { until } from '../helpers/until.ts';

const lockIn = (directory: string) => new LockFile(directory, systemClock);

t.test('keeps a second holder out, names the pid, and lets go', async (t) => {
  const directory = join(await tempDir(t), 'made', 'on', 'the', 'way');
  const first = lockIn(directory);
  await first.acquire();
  await first.acquire();
  t.ok(first.held);
  await t.rejects(lockIn(directory).acquire(), {
    code: 'STATE_DIR_TAKEN',
    what: `${directory} is in use by process ${process.pid}`,
  });
  await first.release();
  await first.release();
  t.same(await readdir(directory), []);
  const next = lockIn(directory);
  await next.acquire();
  await next.release();
});

t.test('another live process keeps it; once killed, its lock is taken over', async (t) => {
  const directory = await tempDir(t);
  const script = `
    import { LockFile } from ${JSON.stringify(new URL('../../lib/lock-file.ts', import.meta.url).href)};
    import { systemClock } from ${JSON.stringify(new URL('../../lib/clock.ts', import.meta.url).href)};
    await new LockFile(${JSON.stringify(directory)}, systemClock).acquire();
    process.stdout.write('held');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  await t.rejects(lockIn(directory).acquire(), {
    code: 'STATE_DIR_TAKEN',
    message: new RegExp(`process ${child.pid}\\b`),
  });
  child.kill('SIGKILL');
  await once(child, 'exit');
  const lock = lockIn(directory);
  await lock.acquire();
  t.equal((await readdir(directory)).length, 1, 'the stale one is gone');
  await lock.release();
});

t.test(
  'a lock of an earlier boot, or of a pid that is used again, is stale',
  { skip: process.platform !== 'linux' },
  async (t) => {
    const directory = await tempDir(t);
    const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    await writeFile(join(directory, `lock.${process.ppid}.1.00000000-0000-0000-0000-000000000000`), '');
    await writeFile(join(directory, `lock.${process.ppid}.1.${bootId}`), '');
    const lock = lockIn(directory);
    await lock.acquire();
    t.equal((await readdir(directory)).length, 1);
    await lock.release();
  },
);

t.test(
  'a holder that has ended and that nobody has buried is not alive',
  { skip: process.platform !== 'linux' },
  async (t) => {
    const directory = await tempDir(t);
    // The child of a program that never waits for it stays a zombie, as below the first process of many containers.
    const parent = spawn('sh', ['-c', 'sleep 0 & echo $!; exec sleep 60'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    t.teardown(() => parent.kill('SIGKILL'));
    const [text] = await once(parent.stdout, 'data');
    const pid = Number(String(text).trim());
    const stat = await until('it is a zombie', async () => {
      const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).split(' ');
      return fields[2] === 'Z' ? fields : undefined;
    });
    const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
    await writeFile(join(directory, `lock.${pid}.${stat[21]}.${bootId}`), '');
    const lock = lockIn(directory);
    await lock.acquire();
    t.ok(lock.held);
    await lock.release();
  },
);

t.test('of many that try at once, never two hold it', async (t) => {
  const directory = await tempDir(t);
  await writeFile(join(directory, 'lock.1.1.00000000-0000-0000-0000-000000000000'), '');
  const locks = Array.from({ length: 8 }, () => lockIn(directory));
  const results = await Promise.allSettled(locks.map((lock) => lock.acquire()));
  t.equal(results.filter(({ status }) => status === 'fulfilled').length, 1);
  t.equal(locks.filter(({ held }) => held).length, 1);
});

t.test('what the file system refuses is told as it is', async (t) => {
  await t.rejects(lockIn('/proc/nowhere').acquire(), { code: 'ENOENT' });
});
