import t from 'tap';
import { DrainPace } from '../../../agent/publish/drain-pace.ts';

t.test('slow sends make the next ones small, quick ones make them large again, within bounds', async (t) => {
  const pace = new DrainPace();
  for (let n = 0; n < 20; n += 1) pace.took(4000);
  t.equal(pace.maxBytes, 16 * 1024);
  pace.took(300);
  t.equal(pace.maxBytes, 16 * 1024, 'neither slow nor quick changes nothing');
  for (let n = 0; n < 20; n += 1) pace.took(5);
  t.equal(pace.maxBytes, 512 * 1024);
});
