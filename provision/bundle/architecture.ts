import { ErichtError } from '../../lib/errors.ts';

/** Processors of boards, in the words of Node. */
export const ARCHITECTURES = ['x64', 'arm64'] as const;

export type Architecture = (typeof ARCHITECTURES)[number];

/** Throws USAGE for another word than x64, arm64 and all; nothing means this machine's. */
export function architecturesOf(word: string = process.arch): Architecture[] {
  if (word === 'all') return [...ARCHITECTURES];
  const known = ARCHITECTURES.find((architecture) => architecture === word);
  if (known) return [known];
  throw new ErichtError('USAGE', { what: `there is no bundle for "${word}"`, next: '--arch takes x64, arm64 or all' });
}
