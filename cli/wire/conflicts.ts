import type { LatestReport, ReportQuery, StoreReader } from '../../collector/store/port.ts';
import type { Clock } from '../../lib/clock.ts';
import { withDeadline } from '../../lib/deadline.ts';
import { reasonOf } from '../../lib/errors.ts';
import type { Log } from '../../lib/log.ts';
import { decodeFacts } from '../../telemetry/codec.ts';
import { IdentityConflicts } from '../../telemetry/identity-conflict.ts';
import { topicSpecs } from '../../telemetry/topics.ts';
import type { Settings } from '../settings.ts';
import { kafkaSettingsOf } from './kafka.ts';

/** As far back as boards are said to speak by turns, and a little for clocks that differ. */
const LOOK_BACK_MS = 75_000;
/** Newest first: enough for a minute of two boards at 1 Hz, and of faster ones for the last turns. */
const MOST_ROWS = 150;
const FACTS_LIMIT_MS = 5000;

type Reader = Pick<StoreReader, 'reports' | 'facts'>;

/** Who has spoken under each nodeId, from the rows of the last minute. Never rejects: a look goes on without it. */
export async function conflictsIn(
  reader: Reader,
  { clusterId, latest, nowMs, log }: { clusterId: string; latest: LatestReport[]; nowMs: number; log: Log },
): Promise<IdentityConflicts> {
  const conflicts = new IdentityConflicts();
  const heard = latest.filter(({ appendedAt }) => nowMs - appendedAt <= LOOK_BACK_MS);
  const read = async (nodeId: string) => {
    const query: ReportQuery = { clusterId, nodeId, fromMs: nowMs - LOOK_BACK_MS, toMs: nowMs + LOOK_BACK_MS };
    const rows = await reader.reports(query, { order: 'newest', limit: MOST_ROWS });
    rows.sort((a, b) => a.appendedAt - b.appendedAt || a.report.seq - b.report.seq);
    for (const { report, appendedAt } of rows) conflicts.report(report, appendedAt);
  };
  try {
    await Promise.all(heard.map(({ report }) => read(report.nodeId)));
    for (const { facts, appendedAt } of await reader.facts(clusterId)) conflicts.facts(facts, appendedAt, appendedAt);
  } catch (error) {
    log.debug({}, `whether two boards share a name is not known: ${reasonOf(error)}`);
  }
  return conflicts;
}

/** The store has the last facts of a nodeId alone; the topic still has those of the other board, and its serial. */
export async function learnSerials(
  conflicts: IdentityConflicts,
  { settings, clock, log }: { settings: Settings; clock: Clock; log: Log },
): Promise<void> {
  const { scanTopic } = await import('../../kafka/scan.ts');
  const { facts: topic } = topicSpecs(settings.config.kafka.topicPrefix);
  const read = async () => {
    for await (const page of scanTopic(kafkaSettingsOf(settings, 'status'), topic.name, { clock, log })) {
      for (const { value, appendedAt } of page) {
        const decoded = value && decodeFacts(value);
        if (decoded?.ok) conflicts.facts(decoded.value, appendedAt, appendedAt);
      }
    }
  };
  try {
    await withDeadline(read(), FACTS_LIMIT_MS, `reading ${topic.name}`, clock);
  } catch (error) {
    log.debug({}, `the serials of the boards are not known: ${reasonOf(error)}`);
  }
}
