import t from 'tap';
import { Backoff } from '../../lib/backoff.ts';

t.test('the ceiling doubles up to the maximum and the jitter takes all of it', (t) => {
  const ceilings = [100, 200, 400, 800, 1000, 1000];
  const high = new Backoff({ baseMs: 100, maxMs: 1000, random: () => 0.999999 });
  const low = new Backoff({ baseMs: 100, maxMs: 1000, random: () => 0 });
  for (const ceiling of ceilings) {
    t.equal(high.nextDelayMs(), ceiling);
    t.equal(low.nextDelayMs(), 0);
  }
  t.end();
});

t.test('a success starts it over', (t) => {
  const backoff = new Backoff({ baseMs: 100, maxMs: 60_000, random: () => 0.999999 });
  for (let i = 0; i < 50; i++) backoff.nextDelayMs();
  t.equal(backoff.nextDelayMs(), 60_000, 'many attempts do not overflow');
  backoff.reset();
  t.equal(backoff.nextDelayMs(), 100);
  t.end();
});
