import type { SeqRange } from '../telemetry/accounting.ts';

/** A set of sequence numbers kept as sorted, disjoint, inclusive ranges: an outage of hours is one range. */
export class SeqRanges {
  #ranges: SeqRange[] = [];
  #count = 0;

  static of(ranges: Iterable<SeqRange>): SeqRanges {
    const set = new SeqRanges();
    for (const { from, to } of ranges) set.add(from, to);
    return set;
  }

  get count(): number {
    return this.#count;
  }

  get ranges(): readonly Readonly<SeqRange>[] {
    return this.#ranges;
  }

  has(seq: number): boolean {
    const range = this.#ranges[this.#firstReaching(seq)];
    return range !== undefined && range.from <= seq;
  }

  /** Adds all of from..to, inclusive. */
  add(from: number, to = from): void {
    const start = this.#firstReaching(from - 1);
    let end = start;
    let merged: SeqRange = { from, to };
    for (let next = this.#ranges[end]; next && next.from <= to + 1; next = this.#ranges[end]) {
      merged = { from: Math.min(merged.from, next.from), to: Math.max(merged.to, next.to) };
      this.#count -= next.to - next.from + 1;
      end += 1;
    }
    this.#ranges.splice(start, end - start, merged);
    this.#count += merged.to - merged.from + 1;
  }

  /** Takes out what is there of from..to, and returns it. */
  remove(from: number, to = from): SeqRange[] {
    const start = this.#firstReaching(from);
    const removed: SeqRange[] = [];
    const kept: SeqRange[] = [];
    let end = start;
    for (let next = this.#ranges[end]; next && next.from <= to; next = this.#ranges[end]) {
      const cut = { from: Math.max(from, next.from), to: Math.min(to, next.to) };
      removed.push(cut);
      this.#count -= cut.to - cut.from + 1;
      if (next.from < cut.from) kept.push({ from: next.from, to: cut.from - 1 });
      if (next.to > cut.to) kept.push({ from: cut.to + 1, to: next.to });
      end += 1;
    }
    if (end > start) this.#ranges.splice(start, end - start, ...kept);
    return removed;
  }

  /** The ranges as far as they lie below `limit`, which is not in them. */
  below(limit: number): SeqRange[] {
    const result: SeqRange[] = [];
    for (const { from, to } of this.#ranges) {
      if (from >= limit) break;
      result.push({ from, to: Math.min(to, limit - 1) });
    }
    return result;
  }

  /** Index of the first range that ends at or above `seq`. */
  #firstReaching(seq: number): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ranges[middle] as SeqRange).to < seq) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
