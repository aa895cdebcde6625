import t, { type Test } from 'tap';
import { ClockStepWatch } from '../../lib/clock-step.ts';
import { silentLog } from '../../lib/log.ts';
import { ManualClock } from '../helpers/manual-clock.ts';

async function watched(t: Test) {
  const clock = new ManualClock();
  const watch = new ClockStepWatch({ clock, log: silentLog });
  t.teardown(() => watch.stop());
  const steps: number[] = [];
  const off = watch.onStep((byMs) => steps.push(byMs));
  await watch.start();
  return { clock, watch, steps, off };
}

t.test('a step either way is told once, with its size', async (t) => {
  const { clock, steps } = await watched(t);
  await clock.advance(10_000);
  clock.jumpWall(-3_600_000);
  await clock.advance(5000);
  clock.jumpWall(300 * 86_400_000);
  await clock.advance(5000);
  t.strictSame(steps, [-3_600_000, 300 * 86_400_000]);
});

t.test('a slew, a late tick and a small step are not told', async (t) => {
  const { clock, steps } = await watched(t);
  for (let i = 0; i < 20; i += 1) {
    clock.jumpWall(400);
    await clock.advance(1000);
  }
  clock.sleepThrough(60_000);
  await clock.advance(1000);
  clock.jumpWall(2000);
  await clock.advance(1000);
  t.strictSame(steps, []);
});

t.test('whoever is taken off, or listens after stop, hears nothing, and no timer is left', async (t) => {
  const { clock, watch, steps, off } = await watched(t);
  off();
  clock.jumpWall(10_000);
  await clock.advance(1000);
  await watch.stop();
  t.strictSame(steps, []);
  t.equal(clock.waitingTimers, 0);
});
