import t from 'tap';
import { Rare } from '../../lib/rare.ts';
import { ManualClock } from '../helpers/manual-clock.ts';

t.test('the first time is said, and then once per interval with how often it happened', async (t) => {
  const clock = new ManualClock();
  const rare = new Rare(clock, 60_000);
  t.equal(rare.happened('a'), 1);
  t.equal(rare.happened('a', 5), 0);
  t.equal(rare.happened('b'), 1, 'each subject for itself');
  await clock.advance(60_000);
  t.equal(rare.happened('a'), 6);
  t.equal(rare.happened('a'), 0);
});

t.test('what is over counts as new the next time', async (t) => {
  const rare = new Rare(new ManualClock());
  t.notOk(rare.over('a'));
  rare.happened('a');
  t.ok(rare.over('a'));
  t.equal(rare.happened('a'), 1);
});
