import kafkajs, { type ICustomPartitioner } from 'kafkajs';
import type { RecordToSend } from './types.ts';

const murmur2Partitioner = kafkajs.Partitioners.DefaultPartitioner();

/** The partition of a key, as the Java client chooses it (murmur2), so that any producer puts a node in one place. */
export function partitionForKey(key: string, partitionCount: number): number {
  const partitionMetadata = Array.from({ length: partitionCount }, (_, partitionId) => ({
    partitionErrorCode: 0,
    partitionId,
    leader: 0,
    replicas: [],
    isr: [],
  }));
  return murmur2Partitioner({ topic: '', partitionMetadata, message: { key, value: null } });
}

/** Given to kafkajs explicitly: it would print a warning about its own default otherwise. */
export const createPartitioner: ICustomPartitioner = kafkajs.Partitioners.DefaultPartitioner;

/** Bytes that a record adds beside its key, value and headers, at most. Source: Kafka message format, v2. */
const RECORD_OVERHEAD_BYTES = 40;
const HEADER_OVERHEAD_BYTES = 10;

export function sizeOf(record: RecordToSend, keyBytes: number): number {
  let bytes = RECORD_OVERHEAD_BYTES + keyBytes + (record.value?.length ?? 0);
  for (const [name, value] of Object.entries(record.headers ?? {})) {
    bytes += HEADER_OVERHEAD_BYTES + Buffer.byteLength(name) + Buffer.byteLength(value);
  }
  return bytes;
}

/** Cuts into pieces of at most `maxBytes`, in order; a record that is larger by itself is a piece of its own. */
export function splitBySize(records: RecordToSend[], keyBytes: number, maxBytes: number): RecordToSend[][] {
  const pieces: RecordToSend[][] = [];
  let piece: RecordToSend[] = [];
  let pieceBytes = 0;
  for (const record of records) {
    const bytes = sizeOf(record, keyBytes);
    if (piece.length > 0 && pieceBytes + bytes > maxBytes) {
      pieces.push(piece);
      piece = [];
      pieceBytes = 0;
    }
    piece.push(record);
    pieceBytes += bytes;
  }
  if (piece.length > 0) pieces.push(piece);
  return pieces;
}
