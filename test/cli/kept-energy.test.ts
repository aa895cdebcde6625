import { existsSync, mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'tap';
import { runEricht, startEricht } from '../helpers/run-ericht.ts';
import { tempDir } from '../helpers/temp.ts';
import { until } from '../helpers/until.ts';

/** A Raspberry Pi with two rails. */
const BOARD = join(import.meta.dirname, '../fixtures/boards/rpi4');
const TMPFS = 0x01021994;
const MEMORY = ['/dev/shm', '/run', tmpdir()].find((path) => existsSync(path) && statfsSync(path).type === TMPFS);

function kept(file: string): { joules: number; seconds: number } {
  const { rails } = JSON.parse(readFileSync(file, 'utf8'));
  const { joules, coveredSeconds } = rails['ina226-1-0040'];
  return { joules, seconds: coveredSeconds };
}

test('the joules of one run are where the next begins, without a joule for the time between', async (t) => {
  const folder = await tempDir(t);
  const data = join(folder, 'data');
  const args = ['start', '--port', '0', '--data-dir', data, '--interval', '200ms', '--path.sysfs', join(BOARD, 'sys')];
  const file = join(data, 'energy/energy.json');
  t.equal((await runEricht(t, [...args, '--for', '2s'], { folder })).code, 0);
  const first = kept(file);
  t.ok(first.seconds > 0.5 && first.joules > 0, JSON.stringify(first));
  t.equal((await runEricht(t, [...args, '--for', '2s'], { folder })).code, 0);
  const second = kept(file);
  t.ok(second.seconds > first.seconds && second.joules > first.joules, JSON.stringify(second));
  t.ok(second.seconds < first.seconds + 3, 'no second for the start and the stop');
  // Each is steady, so that joules and seconds stay in step over both runs.
  t.ok(Math.abs(second.joules / second.seconds - first.joules / first.seconds) < 0.01);
});

test('a killed run goes on from the file in the runtime directory that systemd names', {
  skip: MEMORY === undefined && 'no tmpfs here',
}, async (t) => {
  const folder = await tempDir(t);
  const runtime = mkdtempSync(join(MEMORY!, 'ericht-test-'));
  t.teardown(() => rmSync(runtime, { recursive: true }));
  const data = join(folder, 'data');
  const args = ['start', '--port', '0', '--data-dir', data, '--interval', '200ms', '--path.sysfs', join(BOARD, 'sys')];
  const environment = { RUNTIME_DIRECTORY: `${runtime}:/somewhere/else` };
  const run = startEricht(t, args, { folder, environment });
  const file = join(runtime, 'energy.json');
  await until('it is kept in memory', () => existsSync(file), { limitMs: 40_000 });
  t.notOk(existsSync(join(data, 'energy/energy.json')), 'nothing on disk while it runs');
  run.process.kill('SIGKILL');
  await run.ended;
  const before = kept(file);
  t.ok(before.seconds > 5, JSON.stringify(before));
  t.equal((await runEricht(t, [...args, '--for', '2s'], { folder, environment })).code, 0);
  t.ok(kept(join(data, 'energy/energy.json')).joules > before.joules);
});
