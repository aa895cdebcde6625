import { reasonOf } from '../../../lib/errors.ts';
import type { PlacedReport } from '../../record.ts';
import type { RowOutcome } from '../port.ts';
import { REPORT_COLUMNS, type ReportRow, rowValues, toRow } from '../row.ts';
import type { Connection } from './connection.ts';
import { isRefusal, storeFailure } from './failure.ts';
import { eachInFlight } from './in-flight.ts';
import type { NodeRegistry } from './node-registry.ts';

/** Batches inside one partition, measured: 3 to 6 times the rows per second of single inserts. */
const BATCH_ROWS = 32;
const BATCH_BYTES = 40 * 1024;
/** Scalars and key of a row. */
const ROW_BASE_BYTES = 300;
const IN_FLIGHT = 32;
/** Cassandra's own upper limit of a time to live: 20 years. */
const MAX_TTL_SECONDS = 630_720_000;

interface Item {
  index: number;
  row: ReportRow;
  ttlSeconds: number;
}

/** Writes rows of node_health_by_node_date. */
export class ReportWriter {
  readonly #connection: Connection;
  readonly #registry: NodeRegistry;
  readonly #insert: string;
  readonly #rawMs: number;

  constructor(connection: Connection, keyspace: string, registry: NodeRegistry, rawMs: number) {
    this.#connection = connection;
    this.#registry = registry;
    this.#rawMs = rawMs;
    const marks = REPORT_COLUMNS.map(() => '?').join(', ');
    this.#insert = `INSERT INTO ${keyspace}.node_health_by_node_date (${REPORT_COLUMNS.join(', ')}) VALUES (${marks}) USING TTL ?`;
  }

  /**
   * One outcome per row; one that is past its retention is answered as stored and not kept. `now` is the servers' time,
   * on which a time to live counts. Throws a retryable error if any row's fate is unknown; then all may be
   * written again.
   */
  async write(placed: PlacedReport[], now: number): Promise<RowOutcome[]> {
    const outcomes: RowOutcome[] = placed.map(() => ({ stored: true }));
    const partitions = new Map<string, Item[]>();
    for (const [index, report] of placed.entries()) {
      const made = toRow(report);
      if ('refused' in made) outcomes[index] = { stored: false, why: made.refused };
      else if (report.placedAt > now - this.#rawMs) {
        const { row } = made;
        const key = `${row.cluster_id}/${row.node_id}/${row.day}`;
        const ttlSeconds = timeToLive(report.placedAt + this.#rawMs - now);
        const items = partitions.get(key);
        if (items) items.push({ index, row, ttlSeconds });
        else partitions.set(key, [{ index, row, ttlSeconds }]);
      }
    }
    await this.#registry.add([...partitions.values()].map(([item]) => item!.row));
    const batches = [...partitions.values()].flatMap(intoBatches);
    await eachInFlight(batches, IN_FLIGHT, (batch) => this.#writeBatch(batch, outcomes));
    return outcomes;
  }

  /** A batch that is refused is tried row by row, so that a bad row doesn't hurt its neighbours. */
  async #writeBatch(batch: Item[], outcomes: RowOutcome[]): Promise<void> {
    try {
      await this.#connection.write(
        batch.map(({ row, ttlSeconds }) => ({ query: this.#insert, params: [...rowValues(row), ttlSeconds] })),
      );
    } catch (error) {
      if (!isRefusal(error)) throw storeFailure(error, this.#connection.where);
      if (batch.length === 1) outcomes[batch[0]!.index] = { stored: false, why: reasonOf(error) };
      else for (const item of batch) await this.#writeBatch([item], outcomes);
    }
  }
}

/** In whole seconds, one more than it says: Cassandra counts from the start of the second, so a row could go early. */
function timeToLive(remainingMs: number): number {
  return Math.min(MAX_TTL_SECONDS, Math.ceil(remainingMs / 1000) + 1);
}

function intoBatches(items: Item[]): Item[][] {
  const batches: Item[][] = [];
  let current: Item[] = [];
  let bytes = 0;
  for (const item of items) {
    const size = rowBytes(item.row);
    if (current.length >= BATCH_ROWS || (current.length > 0 && bytes + size > BATCH_BYTES)) {
      batches.push(current);
      current = [];
      bytes = 0;
    }
    current.push(item);
    bytes += size;
  }
  if (current.length > 0) batches.push(current);
  return batches;
}

function rowBytes({ rails, claim, detail }: ReportRow): number {
  const length = (text: unknown) => (typeof text === 'string' ? text.length : 0);
  return ROW_BASE_BYTES + length(rails) + length(claim) + length(detail);
}
