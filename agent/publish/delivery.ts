import { ErichtError, reasonOf, toErichtError } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import type { DropReason } from '../../telemetry/accounting.ts';
import type { OutgoingRecord, RecordSink } from '../../telemetry/link.ts';
import { SENT_HEADERS } from '../../telemetry/topics.ts';

export interface ReportId {
  runId: string;
  seq: number;
}

export type ReportToSend = ReportId & { body: Buffer };

export interface DeliveryOptions {
  identity: { clusterId: string; nodeId: string; bootId: string };
  sink: RecordSink;
  uptimeMs: () => number;
  log: Log;
  /** Told synchronously when a send resolves. */
  acknowledged: (ids: ReportId[]) => void;
  /** The sink will never take this one. */
  refused: (id: ReportId, reason: DropReason, why: string) => void;
}

/** Hands records to the sink, one call at a time, and says what became of each. Nothing is told after close(). */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #log: Log;
  #sinkStarted = false;
  #closed = false;
  /** Code of the error that the sink gives since it last took something. */
  #outage: string | undefined;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#log = options.log;
  }

  /** Starts the sink unless that has been done. Rejects as the sink does. */
  async startSink(): Promise<void> {
    if (this.#sinkStarted) return;
    try {
      await this.#options.sink.start();
      this.#sinkStarted = true;
    } catch (error) {
      this.#noteFailure(error);
      throw error;
    }
  }

  /** Resolves true once none of the reports needs to be sent again; false if the sink is away. Never rejects. */
  async sendReports(reports: ReportToSend[]): Promise<boolean> {
    const outcome = await this.#send(reports.map(({ body }) => this.#outgoing('report', body)));
    if (this.#closed || outcome === 'away') return false;
    if (outcome === 'taken') {
      this.#options.acknowledged(reports.map(({ runId, seq }) => ({ runId, seq })));
      return true;
    }
    const [only, ...others] = reports;
    if (only && others.length === 0) {
      this.#options.refused({ runId: only.runId, seq: only.seq }, outcome.reason, outcome.why);
      return true;
    }
    // Alone, each shows whether it is the one, and its neighbours go on.
    for (const report of reports) if (!(await this.sendReports([report]))) return false;
    return true;
  }

  /** As sendReports; facts that are refused are told in the log, the next ones may be taken. */
  async sendFacts(body: Buffer): Promise<boolean> {
    const outcome = await this.#send([this.#outgoing('facts', body)]);
    if (outcome === 'away') return false;
    if (outcome !== 'taken') this.#log.warn({}, `the facts of this node are not taken: ${outcome.why}`);
    return true;
  }

  close(): void {
    this.#closed = true;
  }

  async #send(records: OutgoingRecord[]): Promise<'taken' | 'away' | { reason: DropReason; why: string }> {
    try {
      await this.startSink();
      await this.#options.sink.send(records);
    } catch (error) {
      const reason = refusalReason(error);
      if (reason) return { reason, why: reasonOf(error) };
      this.#noteFailure(error);
      return 'away';
    }
    this.#noteSuccess();
    return 'taken';
  }

  /** Told once per kind of failure: an outage of hours is one line, not thousands. */
  #noteFailure(error: unknown): void {
    const failure = toErichtError(error, `${this.#options.sink.name} failed`);
    if (this.#outage === failure.code || this.#closed) return;
    this.#outage = failure.code;
    this.#log.warn({ code: failure.code }, `reports are not acknowledged: ${failure.message}`);
  }

  #noteSuccess(): void {
    if (this.#outage === undefined || this.#closed) return;
    this.#outage = undefined;
    this.#log.info({}, 'reports are acknowledged again');
  }

  #outgoing(kind: OutgoingRecord['kind'], value: Buffer): OutgoingRecord {
    const { clusterId, nodeId, bootId } = this.#options.identity;
    const uptimeMs = String(Math.round(this.#options.uptimeMs()));
    const headers = { [SENT_HEADERS.uptimeMs]: uptimeMs, [SENT_HEADERS.bootId]: bootId };
    return { kind, clusterId, nodeId, value, headers };
  }
}

/** Why the sink will never take it; undefined if trying again can help. What is not known is tried again. */
function refusalReason(error: unknown): DropReason | undefined {
  const code = error instanceof ErichtError ? error.code : undefined;
  if (code === 'KAFKA_RECORD_REFUSED') return 'refused';
  return code === 'REPORT_TOO_LARGE' ? 'too-large' : undefined;
}
