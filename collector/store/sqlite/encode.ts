import type { AsideRecord, PlacedReport } from '../../record.ts';
import type { AsideRow, LatestRow } from './protocol.ts';

/** An offset as a number that sorts; what is no number sorts first. */
function offsetNumber(offset: string): bigint {
  return /^\d{1,18}$/.test(offset) ? BigInt(offset) : 0n;
}

/** One row per node, so that a batch writes each node's newest report once. */
export function latestRows(placed: PlacedReport[]): LatestRow[] {
  return placed.map(({ report, appendedAt, offset }) => ({
    clusterId: report.clusterId,
    nodeId: report.nodeId,
    appendedAt,
    offset: offsetNumber(offset),
    bootId: report.bootId,
    uptimeMs: report.uptimeMs,
    report: JSON.stringify(report),
  }));
}

export function asideRow({ kind, reason, detail, record, ...who }: AsideRecord): AsideRow {
  return {
    kind,
    reason,
    detail,
    appendedAt: record.appendedAt,
    topic: record.topic,
    partition: record.partition,
    offset: offsetNumber(record.offset),
    clusterId: who.clusterId,
    nodeId: who.nodeId,
    runId: who.runId,
    // Taken from bytes that nobody vouches for: what is no number of a report must not keep the record out.
    seq: Number.isSafeInteger(who.seq) ? who.seq : undefined,
    key: record.key,
    headers: JSON.stringify(record.headers),
    value: record.value,
  };
}
