import t from 'tap';
import { averagingFor, windowMsOf } from '../../../hardware/ina226/averaging.ts';

const INTERVALS_MS = [50, 100, 200, 250, 300, 500, 777, 1000];

t.test('even a slow chip ends a window within each report, and most of the report is in it', async (t) => {
  for (const intervalMs of INTERVALS_MS) {
    const { windowMs } = averagingFor(intervalMs);
    t.ok(windowMs * 1.1 <= intervalMs * 0.96, `${windowMs} ms fit into ${intervalMs} ms`);
    t.ok(windowMs >= intervalMs * 0.7, `${windowMs} ms use most of ${intervalMs} ms`);
  }
});

t.test('even a fast chip never ends two windows between two polls, with time for late ones', async (t) => {
  for (const intervalMs of INTERVALS_MS) {
    const { windowMs, pollMs } = averagingFor(intervalMs);
    t.ok(windowMs * 0.9 >= pollMs * 1.25, `${pollMs} ms between polls of ${windowMs} ms`);
  }
  t.match(averagingFor(1000), { windowMs: 823.296, pollMs: 500 });
});

t.test('beyond a second nothing gets longer, so that a single report needs no more than one', async (t) => {
  for (const intervalMs of [1000, 2500, 60_000, 3_600_000]) t.same(averagingFor(intervalMs), averagingFor(1000));
});

t.test('the word says the same window, and is never the one that a chip has after a loss of supply', async (t) => {
  for (let intervalMs = 0; intervalMs < 1100; intervalMs += 1) {
    const { configuration, windowMs } = averagingFor(intervalMs);
    if (windowMs !== windowFrom(configuration) || windowMs !== windowMsOf(configuration))
      return t.fail(`${intervalMs}`);
    if ((configuration & 0xf007) !== 0x4007) return t.fail('fixed bits, and continuous conversion of shunt and bus');
    if (configuration === 0x4127) return t.fail(`${intervalMs} ms asks for the power-on settings`);
  }
  t.equal(averagingFor(0).windowMs, 0.28, 'the shortest the chip has');
});

/** The window as the data sheet's tables give it. */
function windowFrom(configuration: number): number {
  const samples = [1, 4, 16, 64, 128, 256, 512, 1024][(configuration >> 9) & 7]!;
  const times = [140, 204, 332, 588, 1100, 2116, 4156, 8244];
  return (samples * (times[(configuration >> 6) & 7]! + times[(configuration >> 3) & 7]!)) / 1000;
}
