/** A report in memory that is not yet acknowledged. */
export interface PendingReport {
  readonly seq: number;
  body: Buffer;
  /** When it was offered, on the monotonic clock. */
  readonly offeredMs: number;
  /** Wall time of its sampling where the clock was synchronised. */
  readonly sampledAt: number | undefined;
  /** Version of the ledger that its claim was made from. */
  claimVersion: number;
  /** Its bytes have been on their way: the claim stays what it is. */
  attempted: boolean;
  /** A send of it is under way. */
  inFlight: boolean;
}

export interface QueueLimits {
  maxBytes: number;
  maxReports: number;
}

/** The reports in memory, oldest first, bounded in bytes and number. */
export class PendingQueue {
  readonly #limits: QueueLimits;
  readonly #reports = new Map<number, PendingReport>();
  #bytes = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#reports.size;
  }

  get oldest(): PendingReport | undefined {
    return this.#reports.values().next().value;
  }

  all(): PendingReport[] {
    return [...this.#reports.values()];
  }

  add(report: PendingReport): void {
    this.#reports.set(report.seq, report);
    this.#bytes += report.body.length;
  }

  remove(seq: number): void {
    const report = this.#reports.get(seq);
    if (!report) return;
    this.#reports.delete(seq);
    this.#bytes -= report.body.length;
  }

  replaceBody(report: PendingReport, body: Buffer): void {
    if (this.#reports.get(report.seq) === report) this.#bytes += body.length - report.body.length;
    report.body = body;
  }

  /** Takes out the oldest that are too many; what is being sent stays, it may arrive at any moment. */
  removeExcess(): PendingReport[] {
    const removed: PendingReport[] = [];
    for (const report of this.#reports.values()) {
      if (this.#bytes <= this.#limits.maxBytes && this.#reports.size <= this.#limits.maxReports) break;
      if (report.inFlight) continue;
      this.remove(report.seq);
      removed.push(report);
    }
    return removed;
  }

  /** The oldest that fit one send; at least one if there is any. */
  batch(maxReports: number, maxBytes: number): PendingReport[] {
    const batch: PendingReport[] = [];
    let bytes = 0;
    for (const report of this.#reports.values()) {
      bytes += report.body.length;
      if (batch.length === maxReports || (batch.length > 0 && bytes > maxBytes)) break;
      batch.push(report);
    }
    return batch;
  }
}
