import { test } from 'tap';
import { sleep, systemClock } from '../../lib/clock.ts';

const YEAR_MS = 366 * 86_400_000;

test('a timer of a year does not end at once, and can be cleared', async (t) => {
  const warnings: Error[] = [];
  const note = (warning: Error) => void warnings.push(warning);
  process.on('warning', note);
  t.teardown(() => process.off('warning', note));
  let ended = false;
  const handle = systemClock.setTimer(() => {
    ended = true;
  }, YEAR_MS);
  await sleep(systemClock, 20);
  t.notOk(ended);
  t.same(warnings, []);
  systemClock.clear(handle);
});

test('a sleep of a year ends when it is asked to', async (t) => {
  const asked = new AbortController();
  const slept = sleep(systemClock, YEAR_MS, asked.signal);
  asked.abort();
  await slept;
  t.pass('it ended');
});
