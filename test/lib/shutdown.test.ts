import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { type Test, test } from 'tap';

const CHILD = fileURLToPath(new URL('shutdown-child.ts', import.meta.url));

interface Child {
  process: ChildProcess;
  started: Promise<unknown>;
  stopping: Promise<unknown>;
  ended: Promise<{ code: number | null; stderr: string }>;
}

function child(t: Test, kind: 'service' | 'look', behaviour: string, limitMs = 20_000): Child {
  const process = spawn(globalThis.process.execPath, [CHILD, kind, behaviour, String(limitMs)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => process.kill('SIGKILL'));
  let stderr = '';
  process.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = once(process, 'close').then(([code]) => ({ code: code as number | null, stderr }));
  return { process, started: once(process.stdout, 'data'), stopping: once(process.stderr, 'data'), ended };
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
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
  const { process, started, stopping, ended } = child(t, 'service', 'stop-takes-a-moment');
  await started;
  process.kill('SIGINT');
  await stopping;
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
