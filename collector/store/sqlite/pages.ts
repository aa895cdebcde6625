import { clampInstant, dayOf } from '../days.ts';
import type { AsideKey, ReportQuery, RowKey, StoredReport } from '../port.ts';
import { claimOf, fromRow } from '../row.ts';
import type { AsideCursor, ReaderThread, RowCursor } from './protocol.ts';
import type { Thread } from './thread.ts';

type Reader = Thread<ReaderThread>;

export const READ_LIMIT_MS = 30_000;
/** Rows of one answer of the reading thread: other readers wait no longer than one such page takes. */
const PAGE_ROWS = 2000;

export async function readReports(
  reader: Reader,
  query: ReportQuery,
  order: 'oldest' | 'newest',
  limit: number,
): Promise<StoredReport[]> {
  const found: StoredReport[] = [];
  let from = cursorAt(query.fromMs);
  let to = cursorAt(query.toMs);
  while (found.length < limit) {
    const size = Math.min(PAGE_ROWS, limit - found.length);
    const rows = await reader.call('reports', READ_LIMIT_MS, query, from, to, order, size);
    for (const row of rows) found.push(fromRow(row));
    const last = rows.at(-1);
    if (rows.length < size || !last) break;
    const { day, ts, run_id: runId, seq } = last as { day: string; ts: number; run_id: string; seq: number };
    if (order === 'oldest') from = { day, ts, runId, seq };
    else to = { day, ts, runId, seq };
  }
  return found;
}

/** Pages of keys, oldest first; nothing is held open between two of them. */
export async function* readKeys(reader: Reader, query: ReportQuery): AsyncGenerator<RowKey[]> {
  let from = cursorAt(query.fromMs);
  const to = cursorAt(query.toMs);
  for (;;) {
    const rows = await reader.call('keys', READ_LIMIT_MS, query, from, to, PAGE_ROWS);
    if (rows.length > 0) {
      yield rows.map((row) => ({
        runId: row.run_id,
        seq: row.seq,
        placedAt: row.ts,
        appendedAt: row.appended_at,
        drained: Boolean(row.drained),
        goodbye: Boolean(row.goodbye),
        claim: claimOf(row.claim),
      }));
    }
    const last = rows.at(-1);
    if (rows.length < PAGE_ROWS || !last) return;
    from = { day: last.day, ts: last.ts, runId: last.run_id, seq: last.seq };
  }
}

export async function* readAsideKeys(reader: Reader): AsyncGenerator<AsideKey[]> {
  for (const kind of ['dead-letter', 'overflow'] as const) {
    let after: AsideCursor | undefined;
    do {
      const { keys, next } = await reader.call('asideKeys', READ_LIMIT_MS, kind, after, PAGE_ROWS);
      if (keys.length > 0) yield keys;
      after = next;
    } while (after !== undefined);
  }
}

/** The position just before the first row of an instant. */
function cursorAt(ms: number): RowCursor {
  const ts = clampInstant(ms);
  return { day: dayOf(ts), ts, runId: '', seq: -1 };
}
