import type { ErichtError } from '../lib/errors.ts';
import { reasonOf } from '../lib/errors.ts';
import type { Log } from '../lib/log.ts';
import type { Rare } from '../lib/rare.ts';
import type { Hold } from './hold.ts';
import type { PlacedReport } from './record.ts';
import type { RowOutcome, StoredFacts, TelemetryStore } from './store/port.ts';

/** Times that an error without a known meaning is given, before the rows are tried one by one. */
const UNEXPLAINED_ATTEMPTS = 3;

/**
 * Writes so that nothing is lost or skipped: what is away is waited for, and what is refused for good is found row by
 * row, so that one bad row doesn't hurt its neighbours.
 */
export class Writer {
  readonly #store: TelemetryStore;
  readonly #hold: Hold;
  readonly #log: Log;
  readonly #rare: Rare;

  constructor(parts: { store: TelemetryStore; hold: Hold; log: Log; rare: Rare }) {
    this.#store = parts.store;
    this.#hold = parts.hold;
    this.#log = parts.log;
    this.#rare = parts.rare;
  }

  /** One outcome per row, in order, once all are durable or refused. Rejects with STOPPED only. */
  async rows(rows: PlacedReport[], signal: AbortSignal): Promise<RowOutcome[]> {
    return this.#oneByOneIfRefused(rows, signal, (some) => this.#store.writeReports(some));
  }

  async facts(facts: StoredFacts[], signal: AbortSignal): Promise<RowOutcome[]> {
    return this.#oneByOneIfRefused(facts, signal, async (some) => {
      await this.#store.writeFacts(some);
      return some.map(() => ({ stored: true }));
    });
  }

  /**
   * The newest live report of each node; a node's reports are in append order. It only paints the screen, and the
   * next report paints it again, so a refusal is told and not kept.
   */
  async latest(rows: PlacedReport[], signal: AbortSignal): Promise<void> {
    const newest = new Map<string, PlacedReport>();
    for (const row of rows) {
      if (!row.report.drained) newest.set(`${row.report.clusterId}/${row.report.nodeId}`, row);
    }
    if (newest.size === 0) return;
    try {
      await this.untilStored(() => this.#store.writeLatest([...newest.values()]), signal);
    } catch (error) {
      if (signal.aborted) throw error;
      const times = this.#rare.happened('latest');
      if (times > 0)
        this.#log.error({ times }, `the newest reports could not be kept for the screen: ${reasonOf(error)}`);
    }
  }

  /** Waits while the store is away; rejects with STOPPED, or with what won't change by trying again. */
  untilStored<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
    return this.#hold.until(work, { signal, isFinal: isRefusal });
  }

  async #oneByOneIfRefused<T>(
    items: T[],
    signal: AbortSignal,
    write: (items: T[]) => Promise<RowOutcome[]>,
  ): Promise<RowOutcome[]> {
    if (items.length === 0) return [];
    try {
      return await this.untilStored(() => write(items), signal);
    } catch (error) {
      if (signal.aborted) throw error;
      if (items.length === 1) return [{ stored: false, why: reasonOf(error) }];
    }
    const outcomes: RowOutcome[] = [];
    for (const item of items) outcomes.push(...(await this.#oneByOneIfRefused([item], signal, write)));
    return outcomes;
  }
}

/** Whether it is the data that is refused. Anything else, a stopped store included, is waited for. */
function isRefusal(error: ErichtError, attempts: number): boolean {
  if (error.code === 'STORE_ROW_REFUSED') return true;
  return error.code === 'UNEXPECTED' && attempts + 1 >= UNEXPLAINED_ATTEMPTS;
}
