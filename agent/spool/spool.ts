import type { Clock } from '../../lib/clock.ts';
import { ErichtError, reasonOf } from '../../lib/errors.ts';
import { LockFile } from '../../lib/lock-file.ts';
import type { Log } from '../../lib/log.ts';
import { Turns } from '../../lib/turns.ts';
import type { DropReason, SeqRange } from '../../telemetry/accounting.ts';
import { encodeFrame, SEGMENT_MAGIC, type SpooledRecord } from './frame.ts';
import { parseSegment, type SpooledRun, scanSpool, segmentPath } from './scan.ts';
import { Segment } from './segment.ts';
import { type AppendFile, diskFiles, type SpoolFiles } from './spool-files.ts';

/** A segment is read whole when it is drained, and deleted whole: small enough for both. */
const SEGMENT_BYTES = 1024 * 1024;
const SEGMENTS_AT_LEAST = 8;

const PROBE_EVERY_MS = 60_000;

export interface SpoolOptions {
  directory: string;
  maxBytes: number;
  maxAgeMs: number;
  clock: Clock;
  clockSynchronised: () => boolean;
  log: Log;
  /** Told of each report that is given up, before its bytes are deleted. */
  dropped: (runId: string, range: SeqRange, reason: DropReason) => unknown;
  /** Told once of what earlier runs left, as soon as the directory can be read. */
  found: (runs: SpooledRun[]) => void;
  files?: SpoolFiles;
}

export type SpoolCounts = {
  waitingReports: number;
  waitingBytes: number;
  tornRecords: number;
  /** Why nothing can be written; absent when all is well. */
  problem?: string;
};

/**
 * Reports on disk that wait for the sink: a queue of append-only files. The oldest is read, and deleted once all of it
 * is released; how far it was read is kept in memory only, because sending a report twice is harmless. Bounded in
 * bytes and age, oldest dropped first. A directory that can't be written is a problem that is told, never a reason to
 * stop: each append tries again.
 */
export class Spool {
  readonly #options: SpoolOptions;
  readonly #files: SpoolFiles;
  readonly #log: Log;
  readonly #lock: LockFile;
  readonly #turns = new Turns();
  #segments: Segment[] = [];
  /** Records of the oldest segment that are read and not yet released. */
  #head: SpooledRecord[] = [];
  #nextNumber = 1;
  #scanned = false;
  #tornRecords = 0;
  #problem: string | undefined;
  #triedMs = Number.NEGATIVE_INFINITY;

  constructor(options: SpoolOptions) {
    this.#options = options;
    this.#files = options.files ?? diskFiles;
    this.#log = options.log;
    this.#lock = new LockFile(options.directory, options.clock);
  }

  /** Keeps other agents out. Throws STATE_DIR_TAKEN only: a directory that can't be used is a problem to be told. */
  async lock(): Promise<void> {
    try {
      await this.#lock.acquire();
    } catch (error) {
      if (error instanceof ErichtError) throw error;
      this.#fail(error);
    }
  }

  /** Finds what earlier runs left. Never rejects for what the file system says: that becomes the problem. */
  open(): Promise<void> {
    return this.#turns.take(() => this.#scan().catch((error) => this.#fail(error)));
  }

  /** Written and synced as one; resolves once the records survive a power cut. After a rejection they may or may not. */
  append(records: SpooledRecord[]): Promise<void> {
    return this.#turns.take(() => this.#attempt(() => this.#append(records)));
  }

  /**
   * After a failed append, tries once a minute whether the disk takes something again, so that a problem that is over
   * is not told for ever by an agent that has nothing to spool.
   */
  async probe(): Promise<void> {
    const nowMs = this.#options.clock.monotonicMs();
    if (!this.#problem || nowMs - this.#triedMs < PROBE_EVERY_MS) return;
    const trial = async () => {
      await this.#append([]);
      const last = this.#segments.at(-1);
      if (last?.waitingReports === 0) await this.#abandon(last);
    };
    // A failure is told as the problem.
    await this.#turns.take(() => this.#attempt(trial)).catch(() => {});
  }

  /** The oldest records, in order, at most so many and so many bytes, but at least one if there is any. */
  peek(maxRecords: number, maxBytes: number): Promise<SpooledRecord[]> {
    return this.#turns.take(async () => {
      while (this.#head.length === 0 && (this.#segments[0]?.waitingReports ?? 0) > 0) await this.#loadHead();
      const batch: SpooledRecord[] = [];
      let bytes = 0;
      for (const record of this.#head) {
        bytes += record.body.length;
        if (batch.length === maxRecords || (batch.length > 0 && bytes > maxBytes)) break;
        batch.push(record);
      }
      return batch;
    });
  }

  /** The records of the last peek are done with. Does nothing for those that were dropped meanwhile. */
  release(records: SpooledRecord[]): Promise<void> {
    return this.#turns.take(async () => {
      const segment = this.#segments[0];
      if (!segment || records.length === 0 || this.#head[0] !== records[0]) return;
      for (const record of this.#head.splice(0, records.length)) segment.release(record);
      if (segment.waitingReports === 0) await this.#removeOldest();
    });
  }

  counts(): SpoolCounts {
    const counts: SpoolCounts = { waitingReports: 0, waitingBytes: 0, tornRecords: this.#tornRecords };
    for (const segment of this.#segments) {
      counts.waitingReports += segment.waitingReports;
      counts.waitingBytes += segment.waitingBytes;
    }
    if (this.#problem) counts.problem = this.#problem;
    return counts;
  }

  /** Whether this report is too old to be worth sending; never judged by a clock that can't be trusted. */
  isTooOld(record: SpooledRecord): boolean {
    return record.sampledAt !== undefined && record.sampledAt < this.#oldestAllowed();
  }

  close(): Promise<void> {
    return this.#turns.take(async () => {
      for (const segment of this.#segments) await this.#closeWriter(segment);
      await this.#lock.release();
    });
  }

  async #attempt(write: () => Promise<void>): Promise<void> {
    this.#triedMs = this.#options.clock.monotonicMs();
    try {
      await this.#lock.acquire();
      if (!this.#scanned) await this.#scan();
      await write();
    } catch (error) {
      this.#fail(error);
      throw error;
    }
    if (this.#problem) this.#log.info({}, `reports can be spooled in ${this.#options.directory} again`);
    this.#problem = undefined;
  }

  async #scan(): Promise<void> {
    const { directory, found } = this.#options;
    await this.#files.makeDirectory(directory);
    const scan = await scanSpool(directory, this.#files, {
      foreign: (path) => this.#log.warn({ path }, `${path} is not part of the spool and is left alone`),
      unreadable: (path, error) => this.#tellUnreadable(path, error),
    });
    this.#segments = scan.segments;
    this.#nextNumber = scan.nextNumber;
    this.#tornRecords = scan.tornRecords;
    this.#scanned = true;
    if (scan.runs.length > 0) found(scan.runs);
  }

  async #append(records: SpooledRecord[]): Promise<void> {
    const frames = Buffer.concat(records.map(encodeFrame));
    await this.#makeRoom(frames.length);
    const { segment, writer } = await this.#writable(frames.length);
    try {
      await writer.append(frames);
      await writer.sync();
    } catch (error) {
      // What is on disk behind the last sync is unknown: nothing more is put after it.
      await this.#abandon(segment);
      throw error;
    }
    segment.bytes += frames.length;
    for (const record of records) segment.add(record);
  }

  async #writable(length: number): Promise<{ segment: Segment; writer: AppendFile }> {
    const last = this.#segments.at(-1);
    const limit = Math.min(SEGMENT_BYTES, this.#options.maxBytes / SEGMENTS_AT_LEAST);
    if (last?.writer && last.bytes + length <= limit) return { segment: last, writer: last.writer };
    if (last) await this.#closeWriter(last);
    const number = this.#nextNumber;
    const path = segmentPath(this.#options.directory, number);
    const writer = await this.#files.create(this.#options.directory, path);
    this.#nextNumber += 1;
    const segment = new Segment(number, path, SEGMENT_MAGIC.length);
    segment.writer = writer;
    this.#segments.push(segment);
    try {
      await writer.append(SEGMENT_MAGIC);
    } catch (error) {
      await this.#abandon(segment);
      throw error;
    }
    return { segment, writer };
  }

  /** A segment that could not be written is read and deleted in its turn; if nothing of it counts, at once. */
  async #abandon(segment: Segment): Promise<void> {
    await this.#closeWriter(segment);
    if (segment.waitingReports > 0) return;
    this.#segments = this.#segments.filter((other) => other !== segment);
    await this.#files.remove(segment.path).catch((error) => this.#tellLeftBehind(segment, error));
  }

  async #makeRoom(length: number): Promise<void> {
    while (this.#segments[0]?.isOlderThan(this.#oldestAllowed())) await this.#removeOldest('too-old');
    const used = () => this.#segments.reduce((sum, segment) => sum + segment.bytes, 0);
    while (this.#segments.length > 0 && used() + length > this.#options.maxBytes)
      await this.#removeOldest('spool-full');
  }

  /** What still waits in it is given up: for `reason`, or because it can't be read back. */
  async #removeOldest(reason: DropReason = 'spool-failed'): Promise<void> {
    const segment = this.#segments.shift();
    this.#head = [];
    if (!segment) return;
    for (const { runId, ranges } of segment.waiting()) {
      for (const range of ranges) this.#options.dropped(runId, range, reason);
    }
    await this.#closeWriter(segment);
    await this.#files.remove(segment.path).catch((error) => this.#tellLeftBehind(segment, error));
  }

  /** Reads the oldest segment; what was written to it and can't be read back is given up. */
  async #loadHead(): Promise<void> {
    const segment = this.#segments[0] as Segment;
    try {
      const { records } = parseSegment(await this.#files.read(segment.path));
      this.#head = records.slice(segment.released, segment.records);
      if (records.length >= segment.records) return;
      this.#tornRecords += segment.records - records.length;
    } catch (error) {
      this.#tellUnreadable(segment.path, error);
    }
    if (this.#head.length === 0) await this.#removeOldest();
    else segment.records = segment.released + this.#head.length;
  }

  async #closeWriter(segment: Segment): Promise<void> {
    const writer = segment.writer;
    segment.writer = undefined;
    // All that counts was synced before; an error here tells nothing new.
    await writer?.close().catch(() => {});
  }

  #oldestAllowed(): number {
    const { clock, clockSynchronised, maxAgeMs } = this.#options;
    return clockSynchronised() ? clock.now() - maxAgeMs : Number.NEGATIVE_INFINITY;
  }

  #fail(error: unknown): void {
    const problem = `cannot write to ${this.#options.directory}: ${reasonOf(error)}`.slice(0, 255);
    if (problem !== this.#problem) {
      this.#log.warn({ directory: this.#options.directory }, `reports are kept in memory only: ${problem}`);
    }
    this.#problem = problem;
  }

  #tellUnreadable(path: string, error: unknown): void {
    this.#log.warn({ path }, `a part of the spool can't be read: ${reasonOf(error)}`);
  }

  #tellLeftBehind(segment: Segment, error: unknown): void {
    this.#log.warn(
      {},
      `${segment.path} is done with and can't be deleted, its reports will be sent again: ${reasonOf(error)}`,
    );
  }
}
