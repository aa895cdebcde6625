import type { AsideRecord, IncomingRecord, PlacedReport } from '../../collector/record.ts';
import type {
  RecordSource,
  SourceHandlers,
  SourcePartition,
  SourceRole,
  SourceStatus,
} from '../../collector/source.ts';
import type {
  AsideKey,
  AsideReader,
  AsideStore,
  ReportQuery,
  RowKey,
  RowOutcome,
  StoredFacts,
  TelemetryStore,
} from '../../collector/store/port.ts';
import { encode } from '../../telemetry/codec.ts';
import { type Report, SCHEMA_VERSION } from '../../telemetry/report.ts';

export const CLUSTER = 'case';

/** A small valid report. */
export function aReport(rest: Partial<Report> = {}): Report {
  return {
    schemaVersion: SCHEMA_VERSION,
    clusterId: CLUSTER,
    nodeId: 'a',
    bootId: 'boot-1',
    runId: 'run-1',
    timestamp: Date.UTC(2026, 0, 1),
    seq: 0,
    uptimeMs: 60_000,
    clockSynchronised: true,
    drained: false,
    intervalMs: 1000,
    claim: { unacknowledged: [], dropped: [] },
    ...rest,
  };
}

export function aRecord(value: Report | Buffer | null, rest: Partial<IncomingRecord> = {}): IncomingRecord {
  const bytes = value === null || Buffer.isBuffer(value) ? value : encode(value);
  const appendedAt = Date.UTC(2026, 0, 1) + 30;
  return { topic: 'reports', partition: 0, offset: '0', key: null, value: bytes, headers: {}, appendedAt, ...rest };
}

/** The port in memory. `fail` is asked before each call and throws what the test wants. */
export class MemoryStore implements TelemetryStore, AsideStore, AsideReader {
  readonly kind = 'sqlite';
  readonly rows = new Map<string, PlacedReport>();
  readonly latestRows = new Map<string, PlacedReport>();
  readonly factRows = new Map<string, StoredFacts>();
  readonly asides: AsideRecord[] = [];
  readonly anchors = new Map<string, number>();
  readonly calls: string[] = [];
  keptSince = 0;
  fail: (call: string, rows: unknown[]) => void | Promise<void> = () => {};
  refuse: (row: PlacedReport) => string | undefined = () => undefined;

  async start(): Promise<void> {
    await this.#call('start');
  }

  async stop(): Promise<void> {
    this.calls.push('stop');
  }

  async writeReports(rows: PlacedReport[]): Promise<RowOutcome[]> {
    await this.#call('writeReports', rows);
    return rows.map((row) => {
      const why = this.refuse(row);
      if (why !== undefined) return { stored: false, why };
      const { clusterId, nodeId, runId, seq } = row.report;
      this.rows.set([clusterId, nodeId, row.placedAt, runId, seq].join('/'), row);
      return { stored: true };
    });
  }

  async writeLatest(rows: PlacedReport[]): Promise<void> {
    await this.#call('writeLatest', rows);
    for (const row of rows) this.latestRows.set(row.report.nodeId, row);
  }

  async writeFacts(rows: StoredFacts[]): Promise<void> {
    await this.#call('writeFacts', rows);
    for (const row of rows) this.factRows.set(row.facts.nodeId, row);
  }

  async bootAnchor({ bootId }: { bootId: string }, proposedAt: number): Promise<number> {
    await this.#call('bootAnchor', [proposedAt]);
    const known = this.anchors.get(bootId);
    if (known === undefined) this.anchors.set(bootId, proposedAt);
    return known ?? proposedAt;
  }

  async writeAside(records: AsideRecord[]): Promise<void> {
    await this.#call('writeAside', records);
    this.asides.push(...records);
  }

  async *asideKeys(): AsyncGenerator<AsideKey[]> {
    yield this.asides.map(({ kind, reason, clusterId, nodeId, runId, seq }) => ({
      ...{ kind, reason, clusterId, nodeId, runId, seq },
    }));
  }

  async clusters(): Promise<string[]> {
    return [...new Set([...this.rows.values()].map(({ report }) => report.clusterId))];
  }

  async nodes(clusterId: string): Promise<string[]> {
    const rows = [...this.rows.values()].filter(({ report }) => report.clusterId === clusterId);
    return [...new Set(rows.map(({ report }) => report.nodeId))];
  }

  async *keys({ clusterId, nodeId, fromMs, toMs }: ReportQuery): AsyncGenerator<RowKey[]> {
    await this.#call('keys');
    yield [...this.rows.values()]
      .filter(({ report, placedAt }) => {
        return report.clusterId === clusterId && report.nodeId === nodeId && placedAt >= fromMs && placedAt < toMs;
      })
      .sort((a, b) => a.placedAt - b.placedAt)
      .map(({ report, placedAt, appendedAt }) => {
        const { runId, seq, drained, goodbye = false, claim } = report;
        return { runId, seq, placedAt, appendedAt, drained, goodbye, claim };
      });
  }

  async keptSinceMs(): Promise<number> {
    return this.keptSince;
  }

  async nowMs(): Promise<number> {
    return Date.UTC(2026, 0, 1);
  }

  async latest(): Promise<never[]> {
    return [];
  }

  async facts(): Promise<never[]> {
    return [];
  }

  async reports(): Promise<never[]> {
    return [];
  }

  async #call(name: string, rows: unknown[] = []): Promise<void> {
    this.calls.push(name);
    await this.fail(name, rows);
  }
}

/** A source whose batches the test hands over itself. */
export class HandSource implements RecordSource {
  readonly name = 'hand';
  readonly committed: string[] = [];
  handlers: SourceHandlers | undefined;
  steps = 0;
  stopped = false;
  failStart: () => void = () => {};
  commit: (nextOffset: string) => Promise<boolean> = async () => true;

  async start(handlers: SourceHandlers): Promise<void> {
    this.failStart();
    this.handlers = handlers;
  }

  async stop(): Promise<void> {
    this.stopped = true;
  }

  clockStepped(): void {
    this.steps += 1;
  }

  status(): SourceStatus {
    return { readable: true, rebuilds: 0 };
  }

  assign(role: SourceRole = 'reports'): HandAssignment {
    const end = new AbortController();
    const partition: SourcePartition = {
      role,
      topic: role,
      partition: 0,
      signal: end.signal,
      commit: async (nextOffset) => {
        if (end.signal.aborted || !(await this.commit(nextOffset))) return false;
        this.committed.push(nextOffset);
        return true;
      },
    };
    this.handlers?.assigned(partition);
    return {
      partition,
      batch: async (records) => {
        const highWatermark = String(Number(records.at(-1)?.offset ?? -1) + 1);
        await this.handlers?.batch({ records, highWatermark }, partition);
      },
      revoke: () => {
        end.abort();
        this.handlers?.revoked(partition);
      },
    };
  }
}

export interface HandAssignment {
  partition: SourcePartition;
  batch(records: IncomingRecord[]): Promise<void>;
  revoke(): void;
}
