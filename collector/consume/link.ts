import type { Clock } from '../../lib/clock.ts';
import { ErichtError, reasonOf } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { decodeFacts, decodeReport } from '../../telemetry/codec.ts';
import type { Facts } from '../../telemetry/facts.ts';
import type { OutgoingRecord, RecordSink } from '../../telemetry/link.ts';
import type { Report } from '../../telemetry/report.ts';
import type { IncomingRecord } from '../record.ts';
import type { RecordSource, SourceHandlers, SourceRole, SourceStatus } from '../source.ts';
import { LinkLane } from './link-lane.ts';

export interface LinkTap {
  report(live: { report: Report; appendedAt: number }): void;
  facts(facts: Facts, appendedAt: number): void;
}

export interface LinkOptions {
  /** Encoded bytes that may wait to be stored; a send that would go beyond is refused. */
  maxBytes: number;
  clock: Clock;
  log: Log;
}

/**
 * Agents and collector in one process. It carries the very bytes that a broker would get, and a send resolves after
 * its records were committed, that is after they are durable in the store. It has no spool: what is refused stays
 * with the agent, whose bounded queue decides.
 */
export class InProcessLink implements RecordSource {
  readonly name = 'in-process link';
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #maxBytes: number;
  readonly #lanes: Record<SourceRole, LinkLane>;
  readonly #taps = new Set<LinkTap>();
  #waitingBytes = 0;
  #isStopped = false;

  constructor({ maxBytes, clock, log }: LinkOptions) {
    this.#clock = clock;
    this.#log = log;
    this.#maxBytes = maxBytes;
    const done = (records: IncomingRecord[]) => {
      for (const { value } of records) this.#waitingBytes -= value?.length ?? 0;
    };
    this.#lanes = {
      reports: new LinkLane({ role: 'reports', done, clock, log }),
      facts: new LinkLane({ role: 'facts', done, clock, log }),
    };
  }

  async start(handlers: SourceHandlers): Promise<void> {
    for (const lane of Object.values(this.#lanes)) lane.start(handlers);
  }

  /** What waits is handed over once more; what is not committed by then is refused. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(Object.values(this.#lanes).map((lane) => lane.stop()));
  }

  clockStepped(): void {
    // Nothing here reckons with wall time: appendedAt is read for each record anew.
  }

  status(): SourceStatus {
    const lag = this.#lanes.reports.waiting + this.#lanes.facts.waiting;
    return { readable: !this.#isStopped && !this.#lanes.reports.isStuck, lag, rebuilds: 0 };
  }

  /** The end of the link that one agent gets. */
  sink(): RecordSink {
    return { name: this.name, start: async () => {}, stop: async () => {}, send: (records) => this.#send(records) };
  }

  /**
   * Shows every valid record as it arrives, before it is stored, as a tail of the topics would: a screen goes on while
   * the disk is full. A record that is sent again is shown again. Returns what takes the tap off.
   */
  tap(tap: LinkTap): () => void {
    this.#taps.add(tap);
    return () => this.#taps.delete(tap);
  }

  async #send(records: OutgoingRecord[]): Promise<void> {
    const bytes = records.reduce((sum, { value }) => sum + value.length, 0);
    if (this.#isStopped) throw refused('STORE_UNREACHABLE', 'the collector in this process has stopped');
    if (this.#waitingBytes > 0 && this.#waitingBytes + bytes > this.#maxBytes) {
      throw refused('STORE_OVERLOADED', `${this.#waitingBytes} bytes wait to be stored, at most ${this.#maxBytes} may`);
    }
    this.#waitingBytes += bytes;
    const appendedAt = this.#clock.now();
    const of = (kind: OutgoingRecord['kind']) => records.filter((record) => record.kind === kind);
    const taken = [this.#lanes.reports.take(of('report'), appendedAt), this.#lanes.facts.take(of('facts'), appendedAt)];
    if (this.#taps.size > 0) for (const record of records) this.#show(record, appendedAt);
    await Promise.all(taken);
  }

  /** Whoever looks on never keeps a record from being stored. */
  #show({ kind, value }: OutgoingRecord, appendedAt: number): void {
    try {
      if (kind === 'report') {
        const report = decodeReport(value);
        if (report.ok) for (const tap of this.#taps) tap.report({ report: report.value, appendedAt });
      } else {
        const facts = decodeFacts(value);
        if (facts.ok) for (const tap of this.#taps) tap.facts(facts.value, appendedAt);
      }
    } catch (error) {
      this.#log.error({ err: error }, `a live value could not be shown: ${reasonOf(error)}`);
    }
  }
}

/** Retryable: the agent keeps the records, or gives them up by its own rules. */
function refused(code: 'STORE_UNREACHABLE' | 'STORE_OVERLOADED', why: string): ErichtError {
  return new ErichtError(code, { what: 'the report was not taken', why });
}
