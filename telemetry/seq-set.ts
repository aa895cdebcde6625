import type { SeqRange } from './accounting.ts';

/**
 * A set of seqs kept as ranges: sorted, disjoint, never touching. A week at 1 Hz is 600,000 seqs and usually one range,
 * so what grows is the number of gaps, not the number of reports.
 */
export class SeqSet {
  readonly #ranges: SeqRange[] = [];
  #size = 0;

  static of(ranges: Iterable<SeqRange>): SeqSet {
    const set = new SeqSet();
    for (const { from, to } of ranges) set.add(from, to);
    return set;
  }

  get size(): number {
    return this.#size;
  }

  /** Lowest seq; undefined when empty. */
  get first(): number | undefined {
    return this.#ranges[0]?.from;
  }

  /** Highest seq; undefined when empty. */
  get last(): number | undefined {
    return this.#ranges.at(-1)?.to;
  }

  has(seq: number): boolean {
    const range = this.#ranges[this.#firstEndingAtOrAfter(seq)];
    return range !== undefined && range.from <= seq;
  }

  /** Adds `from` to `to`, both inclusive; an empty range (`to` below `from`) adds nothing. */
  add(from: number, to: number = from): void {
    if (to < from) return;
    // Ranges that overlap or touch the new one are those from `start` up to the first that begins above to + 1.
    const start = this.#firstEndingAtOrAfter(from - 1);
    let end = start;
    let low = from;
    let high = to;
    for (let range = this.#ranges[end]; range && range.from <= to + 1; range = this.#ranges[++end]) {
      low = Math.min(low, range.from);
      high = Math.max(high, range.to);
      this.#size -= range.to - range.from + 1;
    }
    const only = this.#ranges[start];
    if (end === start + 1 && only) {
      only.from = low;
      only.to = high;
    } else {
      this.#ranges.splice(start, end - start, { from: low, to: high });
    }
    this.#size += high - low + 1;
  }

  /** Adds all of `from` to `to` that is in none of `holes`, which may come in any order and overlap. */
  addExcept(from: number, to: number, holes: readonly SeqRange[]): void {
    let next = from;
    const ordered = holes.length > 1 ? holes.toSorted((a, b) => a.from - b.from) : holes;
    for (const hole of ordered) {
      if (hole.from > to) break;
      this.add(next, hole.from - 1);
      next = Math.max(next, hole.to + 1);
    }
    this.add(next, to);
  }

  /** Takes out what is there of `from` to `to`, both inclusive, and returns it. */
  remove(from: number, to: number = from): SeqRange[] {
    if (to < from) return [];
    const start = this.#firstEndingAtOrAfter(from);
    const removed: SeqRange[] = [];
    const kept: SeqRange[] = [];
    let end = start;
    for (let range = this.#ranges[end]; range && range.from <= to; range = this.#ranges[++end]) {
      const cut = { from: Math.max(from, range.from), to: Math.min(to, range.to) };
      removed.push(cut);
      this.#size -= cut.to - cut.from + 1;
      if (range.from < cut.from) kept.push({ from: range.from, to: cut.from - 1 });
      if (range.to > cut.to) kept.push({ from: cut.to + 1, to: range.to });
    }
    if (end > start) this.#ranges.splice(start, end - start, ...kept);
    return removed;
  }

  /** The set's own ranges: they change with it. */
  ranges(): readonly Readonly<SeqRange>[] {
    return this.#ranges;
  }

  /** Copies of the ranges as far as they lie below `limit`, which is not in them. */
  below(limit: number): SeqRange[] {
    return this.split({ from: 0, to: limit - 1 }).inside;
  }

  /** The parts of `range` that are in the set, and those that are not, each in order. */
  split(range: SeqRange): { inside: SeqRange[]; outside: SeqRange[] } {
    const inside: SeqRange[] = [];
    const outside: SeqRange[] = [];
    let next = range.from;
    for (let i = this.#firstEndingAtOrAfter(range.from); i < this.#ranges.length; i += 1) {
      const held = this.#ranges[i] as SeqRange;
      if (held.from > range.to) break;
      const from = Math.max(held.from, range.from);
      const to = Math.min(held.to, range.to);
      if (from > next) outside.push({ from: next, to: from - 1 });
      inside.push({ from, to });
      next = to + 1;
    }
    if (next <= range.to) outside.push({ from: next, to: range.to });
    return { inside, outside };
  }

  /**
   * Index of the first range whose end is at or above `seq`; reports mostly come in order, so the last is tried
   * first.
   */
  #firstEndingAtOrAfter(seq: number): number {
    const last = this.#ranges.length - 1;
    const newest = this.#ranges[last];
    if (newest === undefined || newest.to < seq) return last + 1;
    let low = 0;
    let high = last;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ranges[middle] as SeqRange).to < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
