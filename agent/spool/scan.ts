import { join } from 'node:path';
import type { SeqRange } from '../../telemetry/accounting.ts';
import { type ParsedFrames, parseFrames, SEGMENT_MAGIC, type SpooledRecord } from './frame.ts';
import { Segment } from './segment.ts';
import type { SpoolFiles } from './spool-files.ts';

const SEGMENT_NAME = /^(\d{12})\.spool$/;
const LOCK_NAME = /^lock\./;

/** A run that left reports behind. */
export interface SpooledRun {
  runId: string;
  ranges: readonly SeqRange[];
  newest: SpooledRecord;
}

export interface SpoolScan {
  /** With something waiting in them, oldest first. */
  segments: Segment[];
  runs: SpooledRun[];
  tornRecords: number;
  /** No segment may be made with a lower number. */
  nextNumber: number;
}

export interface ScanListener {
  /** Not part of the spool: left alone. */
  foreign(path: string): void;
  unreadable(path: string, error: unknown): void;
}

export function segmentPath(directory: string, number: number): string {
  return join(directory, `${String(number).padStart(12, '0')}.spool`);
}

/** Finds what is waiting in a directory. What is torn is counted, what holds nothing is removed. */
export async function scanSpool(directory: string, files: SpoolFiles, listener: ScanListener): Promise<SpoolScan> {
  const runs = new Map<string, SpooledRun>();
  const scan: SpoolScan = { segments: [], runs: [], tornRecords: 0, nextNumber: 1 };
  for (const name of (await files.list(directory)).sort()) {
    const path = join(directory, name);
    const number = Number(SEGMENT_NAME.exec(name)?.[1]);
    if (Number.isNaN(number)) {
      if (!LOCK_NAME.test(name)) listener.foreign(path);
      continue;
    }
    scan.nextNumber = number + 1;
    try {
      const bytes = await files.read(path);
      const { records, torn } = parseSegment(bytes);
      // Damage to the first bytes alone must not hide the records behind them.
      if (records.length === 0 && bytes.length > 0 && !startsAsSegment(bytes)) {
        listener.foreign(path);
        continue;
      }
      scan.tornRecords += torn;
      if (records.length > 0) scan.segments.push(indexed(new Segment(number, path, bytes.length), records, runs));
      else await files.remove(path);
    } catch (error) {
      listener.unreadable(path, error);
    }
  }
  scan.runs = [...runs.values()];
  return scan;
}

/** The whole records of a segment's file. */
export function parseSegment(bytes: Buffer): ParsedFrames {
  return parseFrames(startsAsSegment(bytes) ? bytes.subarray(SEGMENT_MAGIC.length) : bytes);
}

function startsAsSegment(bytes: Buffer): boolean {
  return bytes.subarray(0, SEGMENT_MAGIC.length).equals(SEGMENT_MAGIC);
}

function indexed(segment: Segment, records: SpooledRecord[], runs: Map<string, SpooledRun>): Segment {
  const newest = new Map<string, SpooledRecord>();
  for (const record of records) {
    segment.add(record);
    if (record.seq >= (newest.get(record.runId)?.seq ?? -1)) newest.set(record.runId, record);
  }
  for (const { runId, ranges } of segment.waiting()) {
    const known = runs.get(runId);
    const candidate = newest.get(runId) as SpooledRecord;
    const isNewer = !known || candidate.seq > known.newest.seq;
    // A copy, so that one small body does not keep a whole segment in memory.
    const kept = isNewer ? { ...candidate, body: Buffer.from(candidate.body) } : known.newest;
    runs.set(runId, { runId, ranges: [...(known?.ranges ?? []), ...ranges], newest: kept });
  }
  return segment;
}
