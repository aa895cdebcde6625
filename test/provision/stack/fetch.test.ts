import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'tap';
import { systemClock } from '../../../lib/clock.ts';
import { LockFile } from '../../../lib/lock-file.ts';
import { silentLog } from '../../../lib/log.ts';
import { runCommand } from '../../../provision/stack/command.ts';
import { digestOfJars } from '../../../provision/stack/fetch.ts';
import { withFetchLock } from '../../../provision/stack/fetch-lock.ts';
import { ServerProcess } from '../../../provision/stack/server-process.ts';
import { tempDir } from '../../helpers/temp.ts';

const lockOptions = { clock: systemClock, log: silentLog, limitMs: 2000 };

test('two that fetch at the same time do it one after the other', async (t) => {
  const folder = await tempDir(t);
  let inside = 0;
  let most = 0;
  const work = async () => {
    inside += 1;
    most = Math.max(most, inside);
    await new Promise((resolve) => setImmediate(resolve));
    inside -= 1;
  };
  await Promise.all([1, 2, 3].map(() => withFetchLock(folder, lockOptions, work)));
  t.equal(most, 1);
  t.same(await readdir(folder), []);
});

test('the lock of a process that died is taken over', async (t) => {
  const folder = await tempDir(t);
  await writeFile(join(folder, 'lock.999999999.1.0'), '');
  await withFetchLock(folder, lockOptions, async () => {
    t.match(await readdir(folder), [new RegExp(`^lock\\.${process.pid}\\.`)]);
  });
  t.same(await readdir(folder), []);
});

test('a lock that is held for too long is an error that names its owner', async (t) => {
  const folder = await tempDir(t);
  const held = new LockFile(folder, systemClock);
  await held.acquire();
  const waiting = withFetchLock(folder, { ...lockOptions, limitMs: 100 }, async () => {
    t.fail('runs without the lock');
  });
  await t.rejects(waiting, { code: 'DEADLINE_EXCEEDED', message: new RegExp(String(process.pid)) });
});

test('a cache folder that cannot be made is told with what to set', async (t) => {
  const work = async () => {
    t.fail('runs without the lock');
  };
  const file = join(await tempDir(t), 'file');
  await writeFile(file, '');
  await t.rejects(withFetchLock(join(file, 'jars'), lockOptions, work), {
    code: 'STATE_DIR_UNUSABLE',
    next: /XDG_CACHE_HOME/,
  });
});

test('work that fails frees the lock', async (t) => {
  const folder = await tempDir(t);
  const failing = withFetchLock(folder, lockOptions, () => Promise.reject(new Error('no network')));
  await t.rejects(failing, /no network/);
  t.same(await readdir(folder), []);
});

test('the digest of a folder of jars tells a changed byte and a changed name', async (t) => {
  const digests = new Set<string>();
  for (const [name, content] of [
    ['a.jar', 'x'],
    ['a.jar', 'y'],
    ['b.jar', 'x'],
  ] as const) {
    const folder = await tempDir(t);
    await writeFile(join(folder, name), content);
    digests.add(await digestOfJars(folder));
  }
  t.equal(digests.size, 3);
});

test('a program that is not installed is told with what to do', async (t) => {
  const running = runCommand('no-such-program', [], { limitMs: 1000, clock: systemClock, install: 'install it' });
  await t.rejects(running, { code: 'TOOL_MISSING', message: '"no-such-program" is not installed. Install it' });
});

test('a program that hangs is killed at its deadline', async (t) => {
  const running = runCommand('sleep', ['60'], { limitMs: 50, clock: systemClock, install: '' });
  await t.rejects(running, { code: 'DEADLINE_EXCEEDED' });
});

test('a server that ends while it starts is told with the end of its log', async (t) => {
  const logFile = join(await tempDir(t), 'log');
  const args = ['-c', 'echo the disk is full; exit 3'];
  const server = new ServerProcess({ name: 'sample', command: 'sh', args, logFile, clock: systemClock });
  server.start();
  const ready = server.untilReady(async () => false, 5000);
  await t.rejects(ready, { code: 'SERVER_DIED', message: /sample ended.*the disk is full/s });
});

test('a server that takes no SIGTERM is killed, and one that is paused is stopped', async (t) => {
  const logFile = join(await tempDir(t), 'log');
  const args = ['-c', "trap '' TERM; echo up; while :; do sleep 0.05; done"];
  const server = new ServerProcess({ name: 'sample', command: 'sh', args, logFile, clock: systemClock });
  server.start();
  await server.untilReady(async () => (await readFile(logFile, 'utf8')) === 'up\n', 5000);
  server.signal('SIGSTOP');
  await server.stop(200);
  t.equal(server.pid, undefined);
  await server.stop(200);
});
