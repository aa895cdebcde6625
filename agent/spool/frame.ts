import { crc32 } from 'node:zlib';

/** A report on disk, with what the accounting needs so that it never has to parse the body. */
export interface SpooledRecord {
  runId: string;
  seq: number;
  /** Wall time of the sampling where the clock could be trusted; undefined has no age. */
  sampledAt: number | undefined;
  /** The encoded report. */
  body: Buffer;
}

export interface ParsedFrames {
  records: SpooledRecord[];
  /** Stretches of bytes that hold no whole record. */
  torn: number;
}

/** First bytes of a segment: name and version of the format. */
export const SEGMENT_MAGIC = Buffer.from('ERSPOOL1');

/** FFh occurs nowhere in UTF-8, so after damage the next record is found by its marker without doubt. */
const MARKER = Buffer.from([0xff, 0xe5, 0x1c, 0xff]);
const CRC_AT = 4;
const LENGTH_AT = 8;
const SEQ_AT = 12;
const SAMPLED_AT = 20;
const RUN_ID_LENGTH_AT = 28;
const RUN_ID_AT = 29;

/** Bytes that a record takes on disk. */
export function frameLength(record: SpooledRecord): number {
  return RUN_ID_AT + Buffer.byteLength(record.runId) + record.body.length;
}

/**
 * marker (4) · CRC-32 of all that follows (4) · length of the body (4) · seq (8, double) · sampledAt (8, double, NaN
 * for unknown) · length of the run id (1) · run id · body. Numbers are big-endian.
 */
export function encodeFrame(record: SpooledRecord): Buffer {
  const frame = Buffer.allocUnsafe(frameLength(record));
  MARKER.copy(frame);
  frame.writeUInt32BE(record.body.length, LENGTH_AT);
  frame.writeDoubleBE(record.seq, SEQ_AT);
  frame.writeDoubleBE(record.sampledAt ?? Number.NaN, SAMPLED_AT);
  const runIdLength = frame.write(record.runId, RUN_ID_AT);
  frame.writeUInt8(runIdLength, RUN_ID_LENGTH_AT);
  record.body.copy(frame, RUN_ID_AT + runIdLength);
  frame.writeUInt32BE(crc32(frame.subarray(LENGTH_AT)), CRC_AT);
  return frame;
}

/** Reads all whole records; what is cut or damaged is stepped over to the next marker. Bodies share `bytes`. */
export function parseFrames(bytes: Buffer): ParsedFrames {
  const records: SpooledRecord[] = [];
  let torn = 0;
  let at = 0;
  while (at < bytes.length) {
    const record = parseFrame(bytes.subarray(at));
    if (record) {
      records.push(record);
      at += frameLength(record);
      continue;
    }
    torn += 1;
    at = nextWholeFrame(bytes, at + 1);
  }
  return { records, torn };
}

function nextWholeFrame(bytes: Buffer, from: number): number {
  let at = bytes.indexOf(MARKER, from);
  while (at >= 0 && !parseFrame(bytes.subarray(at))) at = bytes.indexOf(MARKER, at + 1);
  return at < 0 ? bytes.length : at;
}

function parseFrame(bytes: Buffer): SpooledRecord | undefined {
  if (bytes.length < RUN_ID_AT || bytes.compare(MARKER, 0, MARKER.length, 0, MARKER.length) !== 0) return undefined;
  const bodyAt = RUN_ID_AT + bytes.readUInt8(RUN_ID_LENGTH_AT);
  const end = bodyAt + bytes.readUInt32BE(LENGTH_AT);
  if (end > bytes.length || crc32(bytes.subarray(LENGTH_AT, end)) !== bytes.readUInt32BE(CRC_AT)) return undefined;
  const sampledAt = bytes.readDoubleBE(SAMPLED_AT);
  return {
    runId: bytes.toString('utf8', RUN_ID_AT, bodyAt),
    seq: bytes.readDoubleBE(SEQ_AT),
    sampledAt: Number.isNaN(sampledAt) ? undefined : sampledAt,
    body: bytes.subarray(bodyAt, end),
  };
}
