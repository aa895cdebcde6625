import type { PlacedReport } from './record.ts';
import type { StoreReader } from './store/port.ts';

/** Rows of a node that are further apart than this are looked up apart, so that nothing between them is read. */
const MAX_STEP_MS = 60_000;

const LOOKUPS_AT_ONCE = 16;

/**
 * Counts reports that come again although their rows are stored: the commit was cut off by a crash or a rebalance.
 * They can only stand at the beginning of an assignment, so the store is asked until a chunk is all new, and not
 * again.
 */
export class RedeliveryProbe {
  readonly #reader: Pick<StoreReader, 'keys'>;
  #over = false;

  constructor(reader: Pick<StoreReader, 'keys'>) {
    this.#reader = reader;
  }

  /** How many of `rows` are in the store. Asked before they are written. Rejects as the store does. */
  async count(rows: PlacedReport[]): Promise<number> {
    if (this.#over || rows.length === 0) return 0;
    const spans = spansOf(rows);
    let found = 0;
    for (let i = 0; i < spans.length; i += LOOKUPS_AT_ONCE) {
      const counts = await Promise.all(spans.slice(i, i + LOOKUPS_AT_ONCE).map((span) => this.#stored(span)));
      found += counts.reduce((sum, count) => sum + count, 0);
    }
    this.#over = found === 0;
    return found;
  }

  async #stored(span: PlacedReport[]): Promise<number> {
    const [first, last] = [span[0], span.at(-1)];
    if (first === undefined || last === undefined) return 0;
    const { clusterId, nodeId } = first.report;
    const wanted = new Set(span.map(({ report, placedAt }) => `${report.runId}/${report.seq}/${placedAt}`));
    let found = 0;
    const range = { clusterId, nodeId, fromMs: first.placedAt, toMs: last.placedAt + 1 };
    for await (const page of this.#reader.keys(range)) {
      for (const { runId, seq, placedAt } of page) if (wanted.delete(`${runId}/${seq}/${placedAt}`)) found += 1;
    }
    return found;
  }
}

/** Rows by node and time, cut where time jumps. */
function spansOf(rows: PlacedReport[]): PlacedReport[][] {
  const nodes = Map.groupBy(rows, ({ report }) => `${report.clusterId}/${report.nodeId}`);
  const spans: PlacedReport[][] = [];
  for (const ofNode of nodes.values()) {
    let last: PlacedReport | undefined;
    for (const row of ofNode.sort((a, b) => a.placedAt - b.placedAt)) {
      if (last === undefined || row.placedAt - last.placedAt > MAX_STEP_MS) spans.push([]);
      spans.at(-1)?.push(row);
      last = row;
    }
  }
  return spans;
}
