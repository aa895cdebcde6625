import t from 'tap';
import { SeqRanges } from '../../agent/seq-ranges.ts';
import { randomFor } from '../helpers/seeded-random.ts';

t.test('behaves like a set of numbers, whatever is added and removed', async (t) => {
  const random = randomFor(t);
  for (let trial = 0; trial < 50; trial += 1) {
    const ranges = new SeqRanges();
    const model = new Set<number>();
    for (let step = 0; step < 100; step += 1) {
      const from = random.int(0, 60);
      const to = from + random.int(0, 8);
      if (random.next() < 0.5) {
        ranges.add(from, to);
        for (let seq = from; seq <= to; seq += 1) model.add(seq);
      } else {
        const removed = ranges.remove(from, to).flatMap(({ from, to }) => upTo(from, to));
        const expected = upTo(from, to).filter((seq) => model.delete(seq));
        if (String(removed) !== String(expected)) return t.same(removed, expected);
      }
      const all = ranges.ranges.flatMap(({ from, to }) => upTo(from, to));
      const sorted = [...model].sort((a, b) => a - b);
      if (String(all) !== String(sorted) || ranges.count !== model.size) return t.same(all, sorted);
      const probe = random.int(0, 70);
      if (ranges.has(probe) !== model.has(probe)) return t.fail(`has(${probe})`);
      const below = ranges.below(probe).flatMap(({ from, to }) => upTo(from, to));
      if (String(below) !== String(sorted.filter((seq) => seq < probe))) return t.fail(`below(${probe})`);
      const touching = ranges.ranges.some(({ from }, index) => index > 0 && ranges.ranges[index - 1]!.to + 1 >= from);
      if (touching) return t.fail('neighbours are one range');
    }
  }
  t.pass('50 times 100 steps');
});

function upTo(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, index) => from + index);
}
