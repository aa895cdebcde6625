import type { Clock } from '../../../lib/clock.ts';
import { withDeadline } from '../../../lib/deadline.ts';
import { ErichtError, reasonOf } from '../../../lib/errors.ts';
import type { Log } from '../../../lib/log.ts';
import type { Facts } from '../../../telemetry/facts.ts';
import type { Report } from '../../../telemetry/report.ts';
import type { AsideRecord, PlacedReport } from '../../record.ts';
import type {
  AsideKey,
  AsideReader,
  AsideStore,
  LatestReport,
  ReportQuery,
  Retention,
  RowKey,
  RowOutcome,
  StoredFacts,
  StoredReport,
  TelemetryStore,
} from '../port.ts';
import { type ColumnValue, rowValues, toRow } from '../row.ts';
import { readSchemaFiles } from '../schema-files.ts';
import { asideRow, latestRows } from './encode.ts';
import { type MaintenanceResult, maintainFile } from './maintenance.ts';
import { maxFileBytes } from './open.ts';
import { READ_LIMIT_MS, readAsideKeys, readKeys, readReports } from './pages.ts';
import type { ReaderThread, ThreadSettings, WriterThread } from './protocol.ts';
import { SettledTime } from './settled-time.ts';
import { Thread } from './thread.ts';
import { WriteQueue } from './write-queue.ts';

export interface SqliteStoreOptions {
  /** Folder of the database file; made if it is missing. One process writes into it, any number may read. */
  directory: string;
  retention: Retention;
  /** Cap on database and log together; the oldest rows give way first. */
  maxBytes: number;
  clock: Clock;
  log: Log;
  /** For a process that only looks: an existing file is read, nothing is made or written. */
  readOnly?: boolean;
}

const STOP_LIMIT_MS = 4000;

/**
 * The embedded store: one SQLite file (WAL, synchronous FULL). Writing and reading each have a worker thread, so that
 * neither a sync of the disk nor a long read blocks the process or the other.
 */
export class SqliteStore implements TelemetryStore, AsideStore, AsideReader {
  readonly kind = 'sqlite';
  readonly name = 'store';
  readonly #options: SqliteStoreOptions;
  readonly #settled: SettledTime;
  #writer: Thread<WriterThread> | undefined;
  #reader: Thread<ReaderThread> | undefined;
  #queue: WriteQueue | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: SqliteStoreOptions) {
    this.#options = options;
    this.#settled = new SettledTime(options.clock);
  }

  /** Throws STATE_DIR_TAKEN, STATE_DIR_UNUSABLE, SCHEMA_TOO_NEW, STORE_FULL, or (readOnly) STORE_EMPTY. */
  async start(): Promise<void> {
    const { directory, maxBytes, clock, readOnly = false } = this.#options;
    this.#stopping = undefined;
    const schema = await readSchemaFiles(new URL('./schema/', import.meta.url));
    const common = { directory, maxFileBytes: maxFileBytes(maxBytes), schema };
    const settings = (role: ThreadSettings['role']): ThreadSettings => ({ role, ...common });
    const writer = new Thread<WriterThread>(settings('writer'), clock, [clock.now()]);
    const reader = new Thread<ReaderThread>(settings('reader'), clock);
    if (!readOnly) await writer.open();
    try {
      await reader.open();
      if (this.#stopping) throw new ErichtError('STOPPED', { what: 'the store was stopped while it started' });
    } catch (error) {
      await reader.close(STOP_LIMIT_MS);
      await writer.close(STOP_LIMIT_MS);
      throw error;
    }
    this.#reader = reader;
    if (readOnly) return;
    this.#writer = writer;
    this.#settled.look();
    this.#queue = new WriteQueue(writer, clock);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#close();
    return this.#stopping;
  }

  async writeReports(rows: PlacedReport[]): Promise<RowOutcome[]> {
    const outcomes: RowOutcome[] = rows.map(() => ({ stored: true }));
    const values: ColumnValue[][] = [];
    const places: number[] = [];
    for (const [index, placed] of rows.entries()) {
      const made = toRow(placed);
      if ('refused' in made) outcomes[index] = { stored: false, why: made.refused };
      else {
        values.push(rowValues(made.row));
        places.push(index);
      }
    }
    if (values.length === 0) return outcomes;
    const { refused = [] } = await this.#writing().write({ kind: 'reports', rows: values });
    for (const [position, why] of refused.entries()) {
      if (why !== null) outcomes[places[position]!] = { stored: false, why };
    }
    return outcomes;
  }

  async writeLatest(rows: PlacedReport[]): Promise<void> {
    if (rows.length > 0) await this.#writing().write({ kind: 'latest', rows: latestRows(rows) });
  }

  async writeFacts(rows: StoredFacts[]): Promise<void> {
    if (rows.length === 0) return;
    const encoded = rows.map(({ facts, appendedAt }) => ({
      clusterId: facts.clusterId,
      nodeId: facts.nodeId,
      appendedAt,
      facts: JSON.stringify(facts),
    }));
    await this.#writing().write({ kind: 'facts', rows: encoded });
  }

  async writeAside(records: AsideRecord[]): Promise<void> {
    if (records.length > 0) await this.#writing().write({ kind: 'aside', rows: records.map(asideRow) });
  }

  async bootAnchor(boot: { clusterId: string; nodeId: string; bootId: string }, proposedAt: number): Promise<number> {
    const node = { clusterId: boot.clusterId, nodeId: boot.nodeId };
    const { anchoredAt } = await this.#writing().write({ kind: 'anchor', node, bootId: boot.bootId, proposedAt });
    return anchoredAt ?? proposedAt;
  }

  async clusters(): Promise<string[]> {
    return this.#reading().call('clusters', READ_LIMIT_MS);
  }

  async nodes(clusterId: string): Promise<string[]> {
    return this.#reading().call('nodes', READ_LIMIT_MS, clusterId);
  }

  async latest(clusterId: string): Promise<LatestReport[]> {
    const rows = await this.#reading().call('latest', READ_LIMIT_MS, clusterId);
    return rows.map((row) => ({ report: JSON.parse(row.report) as Report, appendedAt: row.appended_at }));
  }

  async facts(clusterId: string): Promise<StoredFacts[]> {
    const rows = await this.#reading().call('facts', READ_LIMIT_MS, clusterId);
    return rows.map((row) => ({ facts: JSON.parse(row.facts) as Facts, appendedAt: row.appended_at }));
  }

  async reports(
    query: ReportQuery,
    { order, limit }: { order: 'oldest' | 'newest'; limit: number },
  ): Promise<StoredReport[]> {
    return readReports(this.#reading(), query, order, limit);
  }

  async *keys(query: ReportQuery): AsyncGenerator<RowKey[]> {
    yield* readKeys(this.#reading(), query);
  }

  async *asideKeys(): AsyncGenerator<AsideKey[]> {
    yield* readAsideKeys(this.#reading());
  }

  async keptSinceMs(): Promise<number> {
    return this.#reading().call('keptSince', READ_LIMIT_MS);
  }

  /** This machine's: there is no other. */
  async nowMs(): Promise<number> {
    return this.#options.clock.now();
  }

  /**
   * Deletes what is past its retention, then the oldest rows until the file is below its cap. In bounded slices. Until
   * the wall clock has run evenly for an hour only the cap counts. To be called every few minutes.
   */
  async maintain(): Promise<MaintenanceResult> {
    const { retention, maxBytes } = this.#options;
    return maintainFile(this.#writerThread(), { now: this.#settled.look(), rawMs: retention.rawMs, maxBytes });
  }

  async #close(): Promise<void> {
    const { clock, log } = this.#options;
    try {
      if (this.#queue) await withDeadline(this.#queue.drained(), STOP_LIMIT_MS, 'the last writes', clock);
      await this.#reader?.close(STOP_LIMIT_MS);
      await this.#writer?.close(STOP_LIMIT_MS);
    } catch (error) {
      log.warn({}, `the store did not close cleanly: ${reasonOf(error)}`);
    }
  }

  #writing(): WriteQueue {
    if (!this.#queue || this.#stopping) throw this.#notOpen();
    return this.#queue;
  }

  #writerThread(): Thread<WriterThread> {
    if (!this.#writer || this.#stopping) throw this.#notOpen();
    return this.#writer;
  }

  #reading(): Thread<ReaderThread> {
    if (!this.#reader || this.#stopping) throw this.#notOpen();
    return this.#reader;
  }

  #notOpen(): ErichtError {
    const what = `the store in ${this.#options.directory} is not open`;
    if (this.#stopping) return new ErichtError('STOPPED', { what, why: 'it was stopped' });
    if (this.#reader)
      return new ErichtError('STORE_UNREACHABLE', { what: `${what} for writing`, why: 'it is read-only' });
    return new ErichtError('STORE_UNREACHABLE', { what, why: 'it was not started' });
  }
}
