import type { Test } from 'tap';

export interface SeededRandom {
  /** 0 ≤ value < 1. */
  next(): number;
  /** A whole number, from and to included. */
  int(from: number, to: number): number;
  pick<T>(values: readonly T[]): T;
}

/** mulberry32: small, and the same everywhere. */
export function seededRandom(seed: number): SeededRandom {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const int = (from: number, to: number) => from + Math.floor(next() * (to - from + 1));
  return { next, int, pick: (values) => values[int(0, values.length - 1)]! };
}

/** Prints the seed, so that a failure can be had again with ERICHT_TEST_SEED. */
export function randomFor(t: Pick<Test, 'comment'>): SeededRandom {
  const seed = Number(process.env.ERICHT_TEST_SEED ?? Math.floor(Math.random() * 2 ** 32));
  t.comment(`seed ${seed}`);
  return seededRandom(seed);
}
