import { readFile, stat } from 'node:fs/promises';
import { z } from 'zod';

/** More rails than a node has; labels of earlier configurations stay, in case they come back. */
const MOST_LABELS = 64;
const MOST_BYTES = 64 * 1024;

const totalsSchema = z.record(
  z.string().min(1).max(63),
  z.object({ joules: z.number().min(0), coveredSeconds: z.number().min(0) }),
);

const keptSchema = z.object({
  kind: z.literal('ericht-energy'),
  schemaVersion: z.literal(1),
  /** Grows with each writing, over restarts, too. */
  generation: z.int().min(0),
  writtenAt: z.number(),
  rails: totalsSchema,
});

/** Joules and the seconds that they are made of, by label. */
export type EnergyTotals = z.output<typeof totalsSchema>;
export type KeptEnergy = Omit<z.output<typeof keptSchema>, 'kind' | 'schemaVersion'>;

export function encodeKeptEnergy({ generation, writtenAt, rails }: KeptEnergy): string {
  const few = Object.fromEntries(Object.entries(rails).slice(0, MOST_LABELS));
  return `${JSON.stringify({ kind: 'ericht-energy', schemaVersion: 1, generation, writtenAt, rails: few })}\n`;
}

/** Undefined where there is no file. Throws for one that is not ours, or no longer whole. */
export async function readKeptEnergy(path: string): Promise<KeptEnergy | undefined> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!found) return undefined;
  if (!found.isFile()) throw new Error('it is no file');
  if (found.size > MOST_BYTES) throw new Error(`it has ${found.size} bytes, which is not what an agent writes`);
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, 'utf8'));
  } catch {
    throw new Error('it is no JSON, or not all of it');
  }
  const kept = keptSchema.safeParse(content);
  if (!kept.success) throw new Error('it is not what an agent writes');
  return kept.data;
}
