import t from 'tap';
import { SeqSet } from '../../telemetry/seq-set.ts';
import { randomFor } from '../helpers/seeded-random.ts';

const HIGHEST = 60;
const seqs = (from: number, to: number) => Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);

t.test('behaves as a set of numbers does, whatever is added in whatever order', async (t) => {
  const random = randomFor(t);
  const pick = () => random.int(0, HIGHEST - 1);
  for (let n = 0; n < 500; n += 1) {
    const [set, model] = [new SeqSet(), new Set<number>()];
    for (let step = 0; step < 12; step += 1) {
      const [from, to] = [pick(), pick()];
      const holes = seqs(1, random.int(0, 2)).map(() => {
        const start = pick();
        return { from: start, to: start + random.int(0, 4) };
      });
      set.addExcept(from, to, holes);
      const isHole = (seq: number) => holes.some((hole) => seq >= hole.from && seq <= hole.to);
      for (const seq of seqs(from, to)) if (!isHole(seq)) model.add(seq);
    }
    const all = seqs(0, HIGHEST + 5);
    const expected = all.filter((seq) => model.has(seq));
    const found = all.filter((seq) => set.has(seq));
    const listed = set.ranges().flatMap(({ from, to }) => seqs(from, to));
    const [from, to] = [pick(), pick()].sort((a, b) => a - b) as [number, number];
    const { inside, outside } = set.split({ from, to });
    const flat = (ranges: { from: number; to: number }[]) => ranges.flatMap((range) => seqs(range.from, range.to));
    const same =
      JSON.stringify([found, listed, set.size, set.first, set.last]) ===
        JSON.stringify([expected, expected, expected.length, expected[0], expected.at(-1)]) &&
      JSON.stringify(flat(inside)) === JSON.stringify(seqs(from, to).filter((seq) => model.has(seq))) &&
      JSON.stringify(flat(outside)) === JSON.stringify(seqs(from, to).filter((seq) => !model.has(seq)));
    if (!same) return t.fail(`set ${n} differs`, { found, listed, expected, inside, outside });
  }
  t.pass('500 sets');
});

t.test('takes out what is there, answers what that was, and tells what lies below a seq', async (t) => {
  const random = randomFor(t);
  for (let trial = 0; trial < 50; trial += 1) {
    const [set, model] = [new SeqSet(), new Set<number>()];
    for (let step = 0; step < 100; step += 1) {
      const from = random.int(0, HIGHEST);
      const to = from + random.int(-1, 8);
      if (random.next() < 0.5) {
        set.add(from, to);
        for (const seq of seqs(from, to)) model.add(seq);
      } else {
        const removed = set.remove(from, to).flatMap((range) => seqs(range.from, range.to));
        const expected = seqs(from, to).filter((seq) => model.delete(seq));
        if (String(removed) !== String(expected)) return t.same(removed, expected);
      }
      const all = set.ranges().flatMap((range) => seqs(range.from, range.to));
      const sorted = [...model].sort((a, b) => a - b);
      if (String(all) !== String(sorted) || set.size !== model.size) return t.same(all, sorted);
      const limit = random.int(0, HIGHEST + 10);
      const below = set.below(limit).flatMap((range) => seqs(range.from, range.to));
      if (String(below) !== String(sorted.filter((seq) => seq < limit))) return t.fail(`below(${limit})`);
      const touching = set.ranges().some((range, index) => index > 0 && set.ranges()[index - 1]!.to + 1 >= range.from);
      if (touching) return t.fail('neighbours are one range');
    }
  }
  t.pass('50 times 100 steps');
});

t.test('ranges that touch are one', async (t) => {
  const set = new SeqSet();
  set.add(5);
  set.add(7, 9);
  set.add(6);
  t.strictSame(set.ranges(), [{ from: 5, to: 9 }]);
});
