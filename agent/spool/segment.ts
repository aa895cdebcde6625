import type { SeqRange } from '../../telemetry/accounting.ts';
import { SeqSet } from '../../telemetry/seq-set.ts';
import { frameLength, type SpooledRecord } from './frame.ts';
import type { AppendFile } from './spool-files.ts';

/** What is known in memory of one file of the spool. */
export class Segment {
  readonly number: number;
  readonly path: string;
  /** Length of the file. */
  bytes: number;
  /** Whole records that were written to it. */
  records = 0;
  /** Of these, from the first on, how many are done with. */
  released = 0;
  /** Open while this is the one that is appended to. */
  writer: AppendFile | undefined;
  waitingBytes = 0;
  readonly #waiting = new Map<string, SeqSet>();
  /** Newest sampling in it; undefined as soon as one record's age is unknown. */
  #newestSampledAt: number | undefined = Number.NEGATIVE_INFINITY;

  constructor(number: number, path: string, bytes: number) {
    this.number = number;
    this.path = path;
    this.bytes = bytes;
  }

  add(record: SpooledRecord): void {
    this.records += 1;
    this.waitingBytes += frameLength(record);
    const seqs = this.#waiting.get(record.runId) ?? new SeqSet();
    seqs.add(record.seq);
    this.#waiting.set(record.runId, seqs);
    if (this.#newestSampledAt !== undefined && record.sampledAt !== undefined) {
      this.#newestSampledAt = Math.max(this.#newestSampledAt, record.sampledAt);
    } else {
      this.#newestSampledAt = undefined;
    }
  }

  release(record: SpooledRecord): void {
    this.released += 1;
    this.waitingBytes -= frameLength(record);
    this.#waiting.get(record.runId)?.remove(record.seq);
  }

  get waitingReports(): number {
    return this.records - this.released;
  }

  /** What has not been released, by run. */
  *waiting(): Generator<{ runId: string; ranges: readonly SeqRange[] }> {
    for (const [runId, seqs] of this.#waiting) {
      if (seqs.size > 0) yield { runId, ranges: seqs.ranges() };
    }
  }

  /** Whether all of it was sampled before this instant. */
  isOlderThan(instant: number): boolean {
    return this.#newestSampledAt !== undefined && this.#newestSampledAt < instant;
  }
}
