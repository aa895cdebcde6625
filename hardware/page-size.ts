import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Type of the entry of the auxiliary vector that holds the page size. Source: linux/auxvec.h. */
const AT_PAGESZ = 6n;
const ENTRY_BYTES = 16;

/**
 * Bytes of a memory page, out of the auxiliary vector that the kernel gave to this process: pairs of 64-bit words, which
 * all boards write little-endian. undefined where there is none, or one of another shape.
 */
export async function readPageSize(procfs: string): Promise<number | undefined> {
  let vector: Buffer;
  try {
    vector = await readFile(join(procfs, 'self/auxv'));
  } catch {
    // No Linux, or a tree that was recorded without it.
    return undefined;
  }
  for (let at = 0; at + ENTRY_BYTES <= vector.length; at += ENTRY_BYTES) {
    if (vector.readBigUInt64LE(at) !== AT_PAGESZ) continue;
    const bytes = Number(vector.readBigUInt64LE(at + 8));
    return Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined;
  }
  return undefined;
}
