import t from 'tap';
import { nodePower, totalPower } from '../../telemetry/power.ts';
import type { Rail } from '../../telemetry/report.ts';

const rail = (measures: Rail['measures'], powerWatts?: number): Rail => ({
  label: measures,
  measures,
  source: 'i2c',
  ...(powerWatts === undefined ? { absent: 'no answer' } : { powerWatts }),
});

t.test('the total is the inlet where it is measured, else the sum of the others', (t) => {
  const boards = [{ rails: [rail('board', 4), rail('switch', 2)] }, { rails: [rail('board', 3)] }];
  t.match(totalPower(boards), { powerWatts: 9, basis: 'boards', measuredNodes: 2, nodes: 2 });
  t.match(totalPower([...boards, { rails: [rail('inlet', 12)] }]), { powerWatts: 12, basis: 'inlet' });
  t.match(
    totalPower([...boards, { rails: [rail('inlet')] }]),
    { powerWatts: 9, basis: 'boards' },
    'an absent inlet is none',
  );
  t.end();
});

t.test('nothing measured is unknown, not zero', (t) => {
  t.equal(totalPower([{}, { rails: [rail('board')] }]).powerWatts, undefined);
  t.match(totalPower([{}]), { basis: 'none', measuredNodes: 0, nodes: 1 });
  t.equal(nodePower(undefined), undefined);
  t.equal(nodePower([rail('board', 0)]), 0, 'a measured zero is a zero');
  t.equal(nodePower([rail('board', 5), rail('inlet', 20)]), 5, 'an inlet is not what the node draws');
  t.end();
});
