import t from 'tap';
import { Turns } from '../../lib/turns.ts';

t.test('work never overlaps, keeps its order, and a failure is told to its own caller only', async (t) => {
  const turns = new Turns();
  const events: string[] = [];
  const gate = Promise.withResolvers<void>();
  const first = turns.take(async () => {
    events.push('first begins');
    await gate.promise;
    events.push('first ends');
    throw new Error('first failed');
  });
  const second = turns.take(async () => {
    events.push('second');
    return 2;
  });
  const third = turns.take(async () => {
    events.push('third');
    return 3;
  });
  gate.resolve();
  await t.rejects(first, { message: 'first failed' });
  t.same(await Promise.all([second, third]), [2, 3]);
  t.same(events, ['first begins', 'first ends', 'second', 'third']);
});
