import type { Clock } from '../../lib/clock.ts';
import { withDeadline } from '../../lib/deadline.ts';
import type { Log } from '../../lib/log.ts';
import type { ObservedReport } from '../../telemetry/cluster-status.ts';
import { decodeReport } from '../../telemetry/codec.ts';
import type { IdentityConflicts } from '../../telemetry/identity-conflict.ts';
import { topicSpecs } from '../../telemetry/topics.ts';
import type { Settings } from '../settings.ts';
import { kafkaSettingsOf } from './kafka.ts';

/** Three missed reports make a node silent, so that many intervals are looked back, and at least this. */
const LOOK_BACK_MS = 10_000;
const LOOK_BACK_INTERVALS = 4;
const LIMIT_MS = 8000;

/**
 * What the store has, and the reports of the last seconds from the topic itself, the newer of each node. For when a
 * collector is behind or gone: the store then shows the past, and a node that it has not heard of may be alive.
 * Rejects as the reading of the topic does.
 */
export async function withRecentReports(
  settings: Settings,
  stored: ObservedReport[],
  { nowMs, conflicts, clock, log }: { nowMs: number; conflicts: IdentityConflicts; clock: Clock; log: Log },
): Promise<ObservedReport[]> {
  const newest = new Map(stored.map((observed) => [nodeOf(observed), observed]));
  const intervalMs = Math.max(0, ...stored.map(({ report }) => report.intervalMs));
  const fromMs = nowMs - Math.max(LOOK_BACK_MS, LOOK_BACK_INTERVALS * intervalMs);
  const { scanTopic } = await import('../../kafka/scan.ts');
  const { reports: topic } = topicSpecs(settings.config.kafka.topicPrefix);
  const read = async () => {
    const pages = scanTopic(kafkaSettingsOf(settings, 'status'), topic.name, { fromMs, clock, log });
    for await (const page of pages) {
      for (const { value, appendedAt } of page) {
        const decoded = value && decodeReport(value);
        if (!decoded?.ok) continue;
        conflicts.report(decoded.value, appendedAt);
        take(newest, { report: decoded.value, appendedAt });
      }
    }
  };
  await withDeadline(read(), LIMIT_MS, `reading ${topic.name}`, clock);
  return [...newest.values()];
}

/** A report that was sent late is a sign of life, and its values are of the past. */
function take(newest: Map<string, ObservedReport>, observed: ObservedReport): void {
  const { report, appendedAt } = observed;
  const known = newest.get(nodeOf(observed));
  if (report.drained) {
    if (known && appendedAt > (known.otherSignAt ?? 0))
      newest.set(nodeOf(known), { ...known, otherSignAt: appendedAt });
    return;
  }
  if (!known || appendedAt >= known.appendedAt) newest.set(nodeOf(observed), { ...known, ...observed });
}

function nodeOf({ report }: ObservedReport): string {
  return `${report.clusterId}/${report.nodeId}`;
}
