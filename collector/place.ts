import type { Report } from '../telemetry/report.ts';
import { SENT_HEADERS } from '../telemetry/topics.ts';
import type { AsideReason, IncomingRecord, PlacedReport } from './record.ts';
import type { TelemetryStore } from './store/port.ts';

/** A synchronised clock that is further ahead of the broker's than this is wrong. */
const MAX_AHEAD_MS = 24 * 3_600_000;

/** A boot's anchor never changes, so each is asked for once; the bound is far above the boards of a case. */
const MAX_CACHED_ANCHORS = 4096;

export type Placement = { placed: PlacedReport } | { reason: AsideReason; detail: string };

/**
 * Gives each report its row time. While a board's clock is not set, its reports are placed by its time since boot,
 * counted from one anchor per boot, so they are in order and at the right distance whatever the board takes for the
 * date.
 */
export class Placer {
  readonly #store: Pick<TelemetryStore, 'bootAnchor'>;
  readonly #rawMs: number;
  readonly #anchors = new Map<string, number>();

  constructor(store: Pick<TelemetryStore, 'bootAnchor'>, rawMs: number) {
    this.#store = store;
    this.#rawMs = rawMs;
  }

  /** Places without asking the store: nearly every report. Undefined if the anchor of its boot is not known here. */
  placeNow(report: Report, { appendedAt, offset }: IncomingRecord): Placement | undefined {
    if (!report.clockSynchronised) {
      const anchor = this.#anchors.get(bootOf(report));
      if (anchor === undefined) return undefined;
      return { placed: { report, placedAt: anchor + report.uptimeMs, appendedAt, offset } };
    }
    const aheadMs = report.timestamp - appendedAt;
    if (aheadMs > MAX_AHEAD_MS) return absurd('time-in-future', report, appendedAt);
    if (-aheadMs > this.#rawMs) return absurd('time-too-old', report, appendedAt);
    return { placed: { report, placedAt: report.timestamp, appendedAt, offset } };
  }

  /** Asks the store for the anchor where it is needed. Rejects only as the store does. */
  async place(report: Report, record: IncomingRecord): Promise<Placement> {
    const now = this.placeNow(report, record);
    if (now !== undefined) return now;
    const { clusterId, nodeId, bootId } = report;
    const anchor = await this.#store.bootAnchor({ clusterId, nodeId, bootId }, proposedAnchor(report, record));
    const oldest = this.#anchors.size >= MAX_CACHED_ANCHORS ? this.#anchors.keys().next().value : undefined;
    if (oldest !== undefined) this.#anchors.delete(oldest);
    this.#anchors.set(bootOf(report), anchor);
    const { appendedAt, offset } = record;
    return { placed: { report, placedAt: anchor + report.uptimeMs, appendedAt, offset } };
  }
}

function bootOf({ clusterId, nodeId, bootId }: Report): string {
  return `${clusterId}/${nodeId}/${bootId}`;
}

/**
 * When the board booted, on the broker's clock. The uptime at sending gives it to within the time on the way; a report
 * that another boot sent tells its own uptime only, so the spool's waiting time makes such an anchor late.
 */
function proposedAnchor(report: Report, { appendedAt, headers }: IncomingRecord): number {
  const sentUptimeMs = Number(headers[SENT_HEADERS.uptimeMs] ?? Number.NaN);
  const sameBoot = headers[SENT_HEADERS.bootId] === report.bootId && sentUptimeMs >= report.uptimeMs;
  return Math.round(appendedAt - (sameBoot ? sentUptimeMs : report.uptimeMs));
}

function absurd(reason: 'time-in-future' | 'time-too-old', report: Report, appendedAt: number): Placement {
  const [said, came] = [report.timestamp, appendedAt].map(isoOr);
  return { reason, detail: `the clock is said to be synchronised and says ${said}; the record came at ${came}` };
}

/** Any integer passes the schema as a time, and Date throws for those beyond its range. */
function isoOr(ms: number): string {
  return Math.abs(ms) <= 8.64e15 ? new Date(ms).toISOString() : `${ms} ms`;
}
