import { test } from 'tap';
import { FetchWatch } from '../../kafka/fetch-watch.ts';
import { type Clock, systemClock } from '../../lib/clock.ts';

test('a broker counts as answering for a while after each answer, and all have to', async (t) => {
  let nowMs = 1000;
  const clock: Clock = { ...systemClock, monotonicMs: () => nowMs };
  const watch = new FetchWatch(clock);
  t.equal(watch.newestMs(), Number.NEGATIVE_INFINITY);
  t.notOk(watch.allAnswer([1], 500), 'never heard of');
  watch.answered(1);
  t.ok(watch.allAnswer([1], 500));
  t.notOk(watch.allAnswer([1, 2], 500), 'one of two');
  nowMs = 1501;
  t.notOk(watch.allAnswer([1], 500), 'too long ago');
  watch.answered(2);
  t.equal(watch.newestMs(), 1501);
  t.ok(watch.allAnswer([], 500), 'no partition, nothing to read');
});

test('empty answers are counted in a row, from the broker with the fewest', async (t) => {
  const watch = new FetchWatch(systemClock);
  watch.answered(1);
  watch.answered(1);
  watch.answered(2);
  t.equal(watch.emptyInARow([1, 2]), 1);
  t.equal(watch.emptyInARow([1]), 2);
  t.equal(watch.emptyInARow([1, 3]), 0);
  watch.batchCame();
  t.equal(watch.emptyInARow([1]), 0);
});
