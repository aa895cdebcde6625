/** A number from 0 up to 1 that depends on nothing but its arguments (integer hash by C. Wellons, "lowbias32"). */
export function seeded(seed: number, ...path: number[]): number {
  let hash = seed >>> 0;
  for (const step of path) {
    hash = (hash + Math.imul(step + 1, 0x9e3779b9)) >>> 0;
    hash ^= hash >>> 16;
    hash = Math.imul(hash, 0x21f0aaad) >>> 0;
    hash ^= hash >>> 15;
    hash = Math.imul(hash, 0x735a2d97) >>> 0;
    hash ^= hash >>> 15;
  }
  return (hash >>> 0) / 2 ** 32;
}

/** The same between two numbers. */
export function seededBetween(low: number, high: number, seed: number, ...path: number[]): number {
  return low + (high - low) * seeded(seed, ...path);
}
