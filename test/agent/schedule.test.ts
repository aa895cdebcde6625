import t from 'tap';
import { Schedule } from '../../agent/schedule.ts';
import { ManualClock } from '../helpers/manual-clock.ts';

function recorded(intervalMs: number) {
  const clock = new ManualClock();
  const origin = clock.monotonicMs();
  const at: number[] = [];
  const schedule = new Schedule({ intervalMs, clock, tick: () => at.push(clock.monotonicMs() - origin) });
  return { clock, at, schedule };
}

t.test('ticks at once and then at whole multiples of the interval', async (t) => {
  const { clock, at, schedule } = recorded(1000);
  schedule.start();
  await clock.advance(3000);
  t.same(at, [0, 1000, 2000, 3000]);
});

t.test('a late tick comes once, skips those it has run over, and does not shift the next', async (t) => {
  const { clock, at, schedule } = recorded(1000);
  schedule.start();
  await clock.advance(1000);
  clock.sleepThrough(3400);
  await clock.advance(1600);
  t.same(at, [0, 1000, 4400, 5000, 6000]);
});

t.test('a timer that fires a little early does not make a tick twice', async (t) => {
  const clock = new ManualClock();
  clock.setTimer = (callback, delayMs) => ManualClock.prototype.setTimer.call(clock, callback, delayMs - 0.6);
  let ticks = 0;
  const schedule = new Schedule({ intervalMs: 1000, clock, tick: () => (ticks += 1) });
  schedule.start();
  await clock.advance(3100);
  t.equal(ticks, 4);
});

t.test('a step of wall time moves no tick', async (t) => {
  const { clock, at, schedule } = recorded(1000);
  schedule.start();
  await clock.advance(1500);
  clock.jumpWall(-3_600_000);
  await clock.advance(1000);
  clock.jumpWall(300 * 86_400_000);
  await clock.advance(1000);
  t.same(at, [0, 1000, 2000, 3000]);
});

t.test('nothing ticks after stop, and no timer is left', async (t) => {
  const { clock, at, schedule } = recorded(1000);
  schedule.start();
  await clock.advance(1000);
  schedule.stop();
  await clock.advance(5000);
  t.equal(at.length, 2);
  t.equal(clock.waitingTimers, 0);
});
