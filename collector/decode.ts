import { type Decoded, decodeFacts, decodeReport } from '../telemetry/codec.ts';
import type { Facts } from '../telemetry/facts.ts';
import type { Report } from '../telemetry/report.ts';
import { type AsideReason, type AsideRecord, type IncomingRecord, MAX_DETAIL_CHARACTERS } from './record.ts';

/** What a record turned out to be. `nothing`: it carries no value and means none. */
export type Opened<T> = { value: T } | { aside: AsideRecord } | 'nothing';

/** Never throws: whatever can't be read becomes a dead letter with its reason. */
export function openReport(record: IncomingRecord): Opened<Report> {
  if (record.value === null) return { aside: deadLetter(record, 'no-value', 'the record has no value') };
  return opened(record, decodeReport(record.value));
}

/** On the compacted facts topic a record without value is how Kafka deletes a key: nothing to store, nothing wrong. */
export function openFacts(record: IncomingRecord): Opened<Facts> {
  if (record.value === null) return 'nothing';
  return opened(record, decodeFacts(record.value));
}

export function deadLetter(record: IncomingRecord, reason: AsideReason, detail: string, said?: unknown): AsideRecord {
  return { kind: 'dead-letter', reason, detail: detail.slice(0, MAX_DETAIL_CHARACTERS), record, ...whoSaid(said) };
}

function opened<T>(record: IncomingRecord, decoded: Decoded<T>): Opened<T> {
  if (decoded.ok) return { value: decoded.value };
  return { aside: deadLetter(record, decoded.problem, decoded.detail, decoded.partial) };
}

type Who = Pick<AsideRecord, 'clusterId' | 'nodeId' | 'runId' | 'seq'>;

/** The sender as far as the bytes tell; they failed a check, so nothing about them is certain. */
function whoSaid(said: unknown): Who {
  if (typeof said !== 'object' || said === null) return {};
  const { clusterId, nodeId, runId, seq } = said as Record<keyof Who, unknown>;
  const who: Who = {};
  if (isName(clusterId)) who.clusterId = clusterId;
  if (isName(nodeId)) who.nodeId = nodeId;
  if (isName(runId)) who.runId = runId;
  if (Number.isSafeInteger(seq) && (seq as number) >= 0) who.seq = seq as number;
  return who;
}

function isName(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= 64;
}
