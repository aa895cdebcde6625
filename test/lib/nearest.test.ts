import { test } from 'tap';
import { editDistance, nearest } from '../../lib/nearest.ts';

test('a swap of neighbours counts as one edit', async (t) => {
  t.equal(editDistance('statsu', 'status'), 1);
  t.equal(editDistance('', 'abc'), 3);
  t.equal(editDistance('interval', 'interval'), 0);
});

test('the nearest known word is named', async (t) => {
  const known = ['start', 'status', 'agent', 'audit'];
  t.equal(nearest('statsu', known), 'status');
  t.equal(nearest('AGNET', known), 'agent');
});

test('a word that was cut short means what it begins', async (t) => {
  t.equal(nearest('stat', ['start', 'status']), 'status');
});

test('nothing is proposed where nothing is near', async (t) => {
  t.equal(nearest('zebra', ['start', 'status']), undefined);
  t.equal(nearest('x', []), undefined);
});
