import { maxFileBytes } from './open.ts';
import type { WriterThread } from './protocol.ts';
import type { Thread } from './thread.ts';

export interface MaintenanceResult {
  deletedRows: number;
  /** Size of database and log on the disk afterwards. */
  bytes: number;
}

/** Rows of one deletion; between two of them waiting writes get their turn. */
const SLICE_ROWS = 2000;
const SLICE_LIMIT_MS = 30_000;
/** A maintenance run ends after this many slices; the next one goes on. */
const MAX_SLICES = 200;
const VACUUM_PAGES = 64;
/** Records set aside live at least this long: they are what a person looks into later. */
const ASIDE_RETENTION_MS = 30 * 86_400_000;
/** Eviction begins at the cap and ends below this part of it. */
const LOW_WATER_RATIO = 0.95;

/**
 * Deletes what is past its retention at `now`, or nothing if that is undefined, then the oldest rows while the file is
 * over its cap, then gives pages back.
 */
export async function maintainFile(
  writer: Thread<WriterThread>,
  { now, rawMs, maxBytes }: { now: number | undefined; rawMs: number; maxBytes: number },
): Promise<MaintenanceResult> {
  const sizeNow = () => writer.call('size', SLICE_LIMIT_MS);
  let deletedRows = 0;
  let slices = 0;

  for (; now !== undefined && slices < MAX_SLICES; slices += 1) {
    const rawBefore = now - rawMs;
    const asideBefore = Math.min(rawBefore, now - ASIDE_RETENTION_MS);
    const deleted = await writer.call('deleteBefore', SLICE_LIMIT_MS, rawBefore, asideBefore, SLICE_ROWS);
    deletedRows += deleted;
    if (deleted === 0) break;
  }

  const cap = maxFileBytes(maxBytes);
  let size = await sizeNow();
  for (let target = cap; slices < MAX_SLICES && size.usedBytes > target; slices += 1) {
    target = cap * LOW_WATER_RATIO;
    const deleted = await writer.call('evictOldest', SLICE_LIMIT_MS, SLICE_ROWS);
    deletedRows += deleted;
    if (deleted === 0) break;
    size = await sizeNow();
  }

  // Free pages are used again by new rows; they go back to the disk only when there are many.
  for (; slices < MAX_SLICES && (size.bytes > maxBytes || size.freeBytes > size.usedBytes); slices += 1) {
    await writer.call('shrink', SLICE_LIMIT_MS, VACUUM_PAGES);
    const after = await sizeNow();
    if (after.freeBytes === 0 || after.freeBytes === size.freeBytes) break;
    size = after;
  }
  return { deletedRows, bytes: (await sizeNow()).bytes };
}
