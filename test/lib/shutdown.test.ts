import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Test, test } from 'tap';

const CHILD = fileURLToPath(new URL('shutdown-child.ts', import.meta.url));

/** Where every write finds the disk full. */
const FULL_DEVICE = '/dev/full';
const NO_FULL_DEVICE = existsSync(FULL_DEVICE) ? false : `there is no ${FULL_DEVICE} here`;

interface Child {
  process: ChildProcess;
  started: Promise<unknown>;
  /** Something on standard error. */
  said: Promise<unknown>;
  ended: Promise<{ code: number | null; stderr: string }>;
}

function child(t: Test, kind: 'service' | 'look', behaviour: string, limitMs = 20_000, output?: string): Child {
  const process = spawn(globalThis.process.execPath, [CHILD, kind, behaviour, String(limitMs)], {
    stdio: ['ignore', output === undefined ? 'pipe' : openSync(output, 'w'), 'pipe'],
  });
  t.teardown(() => process.kill('SIGKILL'));
  let stderr = '';
  const { stdout, stderr: errors } = process;
  errors?.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = once(process, 'close').then(([code]) => ({ code: code as number | null, stderr }));
  return {
    process,
    started: stdout ? once(stdout, 'data') : ended,
    said: errors ? once(errors, 'data') : ended,
    ended,
  };
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`a service that gets ${signal} stops in order and exits 0`, async (t) => {
    const { process, started, ended } = child(t, 'service', 'quiet');
    await started;
    process.kill(signal);
    const { code, stderr } = await ended;
    t.equal(code, 0);
    t.match(stderr, /stopped in order/);
  });
}

test('a verb that looks ends with 130 when interrupted', async (t) => {
  const { process, started, ended } = child(t, 'look', 'quiet');
  await started;
  process.kill('SIGINT');
  t.equal((await ended).code, 130);
});

test('a service that is still starting can be stopped', async (t) => {
  const { process, started, ended } = child(t, 'service', 'start-hangs');
  await started;
  process.kill('SIGINT');
  const { code, stderr } = await ended;
  t.equal(code, 0);
  t.match(stderr, /stopped in order/);
});

test('a second signal ends the process at once', async (t) => {
  const { process, started, ended } = child(t, 'service', 'stop-hangs');
  await started;
  process.kill('SIGINT');
  const again = setInterval(() => process.kill('SIGINT'), 50);
  t.teardown(() => clearInterval(again));
  t.equal((await ended).code, 130);
});

test('a signal that arrives twice at once, as npm hands it on, is one', async (t) => {
  const { process, started, said, ended } = child(t, 'service', 'stop-takes-a-moment');
  await started;
  process.kill('SIGINT');
  await said;
  process.kill('SIGINT');
  const { code, stderr } = await ended;
  t.equal(code, 0);
  t.match(stderr, /stopped in order/);
});

test('a stop that takes too long ends with 1 and says so', async (t) => {
  const { process, started, ended } = child(t, 'service', 'stop-hangs', 1000);
  await started;
  process.kill('SIGTERM');
  const { code, stderr } = await ended;
  t.equal(code, 1);
  t.match(stderr, /did not stop within 1000 ms/);
});

test('an error that nobody caught stops the service in order, with exit code 1', async (t) => {
  const { ended } = child(t, 'service', 'throws');
  const { code, stderr } = await ended;
  t.equal(code, 1);
  t.match(stderr, /nobody caught me/);
  t.match(stderr, /stopped in order/);
});

for (const kind of ['service', 'look'] as const) {
  test(`a ${kind} whose reader goes away ends quietly`, async (t) => {
    const { process, started, ended } = child(t, kind, 'chatty');
    await started;
    process.stdout?.destroy();
    const { code, stderr } = await ended;
    t.equal(code, 0);
    t.notMatch(stderr, /EPIPE/);
  });
}

test('a service whose log is on a full disk goes on', { skip: NO_FULL_DEVICE }, async (t) => {
  const { process, said, ended } = child(t, 'service', 'chatty', 20_000, FULL_DEVICE);
  await said;
  process.kill('SIGTERM');
  const { code, stderr } = await ended;
  t.equal(code, 0);
  t.match(stderr, /^it goes on\nstopping/);
});

test('an answer that finds the disk full is exit code 1', { skip: NO_FULL_DEVICE }, async (t) => {
  const { process, said, ended } = child(t, 'service', 'answers', 20_000, FULL_DEVICE);
  await said;
  process.kill('SIGTERM');
  t.equal((await ended).code, 1);
});
