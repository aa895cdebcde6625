import t from 'tap';
import { EnergyCounter } from '../../hardware/energy.ts';

t.test('steady power adds up over the time between readings', async (t) => {
  const energy = new EnergyCounter(1000);
  for (let at = 0; at <= 60_000; at += 1000) energy.add(5, at);
  t.equal(energy.joules, 300);
  t.equal(energy.coveredSeconds, 60);
});

t.test('nothing is added across a gap, and what follows counts again', async (t) => {
  const energy = new EnergyCounter(1000);
  energy.add(5, 0);
  energy.add(5, 2500);
  t.equal(energy.coveredSeconds, 2.5, 'one or two late readings are no gap');
  energy.add(5, 5001);
  t.equal(energy.coveredSeconds, 2.5, 'a longer one is');
  energy.add(5, 6001);
  t.equal(energy.coveredSeconds, 3.5);
});

t.test('a moment without a reading is not bridged', async (t) => {
  const energy = new EnergyCounter(1000);
  energy.add(5, 0);
  energy.interrupt();
  energy.add(5, 1000);
  t.equal(energy.joules, 0);
  energy.add(5, 2000);
  t.equal(energy.joules, 5);
});

t.test('power that flows back never lowers the counter', async (t) => {
  const energy = new EnergyCounter(1000);
  energy.add(5, 0);
  energy.add(5, 1000);
  energy.add(-3, 2000);
  t.equal(energy.joules, 5);
  t.equal(energy.coveredSeconds, 2, 'it was measured all the same');
});

t.test('what a reader counted itself is taken as it is, and joined to what was kept before', async (t) => {
  const energy = new EnergyCounter(1000);
  energy.addCounted({ joules: 4, seconds: 0.8 });
  energy.resume({ joules: 1000, coveredSeconds: 200 });
  energy.addCounted({ joules: 0, seconds: 0.8 });
  t.equal(energy.joules, 1004);
  t.ok(Math.abs(energy.coveredSeconds - 201.6) < 1e-9);
});

t.test('under gaps and clock jumps the counter is monotonic and bounded by what was covered', async (t) => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  t.comment(`seed ${seed}`);
  const random = generator(seed);
  for (let run = 0; run < 200; run += 1) {
    const intervalMs = [100, 1000, 5000][Math.floor(random() * 3)]!;
    const energy = new EnergyCounter(intervalMs);
    const maxWatts = 20;
    let atMs = random() * 1e6;
    const firstMs = atMs;
    let forwardMs = 0;
    let before = { joules: 0, covered: 0 };
    for (let step = 0; step < 200; step += 1) {
      const kind = random();
      const moveMs =
        kind < 0.8 ? intervalMs * (0.5 + random()) : kind < 0.9 ? random() * 1e7 : kind < 0.95 ? -random() * 1e7 : 0;
      atMs += moveMs;
      forwardMs += Math.max(0, moveMs);
      if (random() < 0.05) energy.interrupt();
      else energy.add((random() * 1.1 - 0.1) * maxWatts, atMs);
      const now = { joules: energy.joules, covered: energy.coveredSeconds };
      const coveredStep = now.covered - before.covered;
      if (now.joules < before.joules || coveredStep < 0) return t.fail(`fell in run ${run} at step ${step}`);
      if (coveredStep > (2.5 * intervalMs) / 1000 + 1e-9) return t.fail(`bridged a gap in run ${run} at step ${step}`);
      if (now.joules - before.joules > coveredStep * maxWatts + 1e-6) return t.fail(`too much in run ${run}`);
      before = now;
    }
    if (energy.coveredSeconds * 1000 > forwardMs + 1e-6) return t.fail(`covers more than passed since ${firstMs}`);
  }
  t.pass('200 runs of 200 readings');
});

/** mulberry32 */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
