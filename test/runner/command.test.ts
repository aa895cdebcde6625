import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';

const runner = fileURLToPath(new URL('../run.ts', import.meta.url));

function run(args: string[], env: Record<string, string> = {}) {
  const { PATH, HOME } = process.env;
  return spawnSync(process.execPath, [runner, ...args], { encoding: 'utf8', env: { PATH, HOME, ...env } });
}

const lastLine = (text: string) => text.trimEnd().split('\n').at(-1);

test('--list names every suite and its files and runs nothing', async (t) => {
  const { status, stdout } = run(['--list']);
  t.equal(status, 0);
  for (const name of ['unit', 'pipeline', 'agent', 'faults', 'screen']) t.match(stdout, new RegExp(`^${name}: `, 'm'));
  t.match(stdout, /^ {2}test\/runner\/command\.test\.ts$/m);
  t.notMatch(stdout, /fixtures\//, 'material for tests is not a test');
});

test('the last line is the sum, and the seed is told', async (t) => {
  const { status, stdout } = run(['unit', 'runner/suites', '--seed', '42']);
  t.equal(status, 0, stdout);
  t.match(stdout, /^seed 42$/m);
  t.match(lastLine(stdout), /^\d+ passed, 0 failed, 0 skipped$/);
});

test('a suite that cannot run is skipped by name with the reason, and on CI it fails', async (t) => {
  // Without a path there is neither Java nor a way to install it.
  const elsewhere = run(['provision/stack/main.pipeline'], { PATH: '' });
  t.equal(elsewhere.status, 0);
  t.match(elsewhere.stdout, /^pipeline: skipped: stack: "java" is not installed/m);
  t.equal(lastLine(elsewhere.stdout), '0 passed, 0 failed, 1 skipped');
  const onCi = run(['provision/stack/main.pipeline'], { PATH: '', CI: 'true' });
  t.equal(onCi.status, 1);
  t.equal(lastLine(onCi.stdout), '0 passed, 1 failed, 0 skipped');
  const board = run(['ina226-iio.agent'], { PATH: '', CI: 'true' });
  t.equal(board.status, 1);
  t.match(board.stdout, /^agent: FAIL: cannot run: board: "qemu-system-x86_64" is not installed, and /m);
  t.match(onCi.stdout, /\nfailed:\n {2}pipeline: cannot run: stack: "java" is not installed/);
});

test('what is not known is an error and not an empty run', async (t) => {
  for (const args of [['no-such-suite'], ['--fast']]) {
    const { status, stdout, stderr } = run(args);
    t.equal(status, 2);
    t.equal(stdout, '');
    t.match(stderr, /no-such-suite|--fast/);
  }
});
