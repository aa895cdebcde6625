import t from 'tap';
import { naturalOrder } from '../../lib/natural-order.ts';

t.test('numbers within names count as numbers', async (t) => {
  const names = ['hwmon10', 'hwmon2', 'hwmon', 'i2c-1', '1-0040', '10-0040', '1-0041', 'eth0', 'a1b10', 'a1b9'];
  const ordered = ['1-0040', '1-0041', '10-0040', 'a1b9', 'a1b10', 'eth0', 'hwmon', 'hwmon2', 'hwmon10', 'i2c-1'];
  t.strictSame(names.toSorted(naturalOrder), ordered);
});

t.test('it is a total order: any two names compare one way, and only a name equals itself', async (t) => {
  const names = [
    '',
    '0',
    '00',
    '01',
    '1',
    '1a',
    'a',
    'a0',
    'a00',
    'a01',
    'a1',
    'A1',
    'a1 ',
    '-1',
    ' 1',
    '1.5',
    '1e3',
    'é1',
  ];
  for (const a of names) {
    for (const b of names) {
      t.equal(Math.sign(naturalOrder(a, b)) + Math.sign(naturalOrder(b, a)), 0, `"${a}" and "${b}"`);
      t.equal(naturalOrder(a, b) === 0, a === b, `"${a}" and "${b}"`);
      for (const c of names) {
        if (naturalOrder(a, b) < 0 && naturalOrder(b, c) < 0 && naturalOrder(a, c) >= 0) t.fail(`${a}, ${b}, ${c}`);
      }
    }
  }
});
