import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { fakeTimeEnvironment } from '../helpers/faketime.ts';
import { LineProcess } from '../helpers/line-process.ts';
import { tempDir } from '../helpers/temp.ts';
import { until } from '../helpers/until.ts';

const LIMIT_MS = 200_000;
const STEPS = ['+300d', '-1h', '+0', '+300d'];
const MISSING = !process.env.ERICHT_TEST_FAKETIME && 'ERICHT_TEST_FAKETIME does not name a libfaketime';

t.setTimeout(LIMIT_MS);

const title = 'a trigger goes on after each step of the wall clock by itself, and never stalls its process';
t.test(title, { timeout: LIMIT_MS, skip: MISSING }, async (t) => {
  const clockFile = join(await tempDir(t), 'clock');
  const setClock = async (offset: string) => {
    await writeFile(`${clockFile}.new`, `${offset}\n`);
    await rename(`${clockFile}.new`, clockFile);
  };
  await setClock('+0');
  const child = new LineProcess(t, './cron-process.ts', [], fakeTimeEnvironment({ file: clockFile }));
  await child.first('fired', 60_000);
  for (const step of STEPS) {
    const before = child.of('fired').length;
    await setClock(step);
    await until(`it fires after ${step}`, () => child.of('fired').length >= before + 3, { limitMs: 30_000 });
  }
  const fired = child.of('fired').slice(1);
  const longest = Math.max(...fired.map(({ stalledMs }) => Number(stalledMs)));
  t.ok(longest < 2000, `the longest stall was ${longest} ms`);
  const seconds = fired.map(({ at }) => Math.floor(Number(at) / 1000));
  // A time that a step passes over is made up for once, be it in a second that has one of its own.
  const twice = seconds.length - new Set(seconds).size;
  t.ok(twice <= STEPS.length, `${twice} seconds were taken twice`);
  t.notOk(child.hasEnded);
});
