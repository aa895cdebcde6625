import { existsSync } from 'node:fs';
import type { StoreReader, TelemetryStore } from '../../collector/store/port.ts';
import type { Clock } from '../../lib/clock.ts';
import { withDeadline } from '../../lib/deadline.ts';
import { parseDuration } from '../../lib/duration.ts';
import { ErichtError, reasonOf, toErichtError } from '../../lib/errors.ts';
import { type Log, plainLog, silentLog } from '../../lib/log.ts';
import { clusterStatus, type ObservedReport } from '../../telemetry/cluster-status.ts';
import type { IdentityConflicts } from '../../telemetry/identity-conflict.ts';
import type { PipelineStatus, Status } from '../../telemetry/status.ts';
import { topicSpecs } from '../../telemetry/topics.ts';
import { say, type VerbContext } from '../context.ts';
import { type Settings, simulatedSettings } from '../settings.ts';
import { conflictsIn, learnSerials } from './conflicts.ts';
import { kafkaSettingsOf } from './kafka.ts';
import { makeStore } from './store.ts';
import { collectorGroup } from './transport.ts';

type TransportStatus = Omit<PipelineStatus, 'store'>;

/** Of the time a look may take, for Kafka: a store that answers is shown though the brokers don't. */
const KAFKA_LIMIT_MS = 5000;

/** What the parts say while a verb looks: nothing, unless it is asked to say more. */
export function lookLog({ verbose, stderr }: VerbContext): Log {
  return verbose ? plainLog('debug', stderr) : silentLog;
}

/** Ends the waiting with DEADLINE_EXCEEDED (exit code 5) after --timeout. */
export function withTimeout<T>(context: VerbContext, work: Promise<T>, defaultText: string): Promise<T> {
  const limitMs = parseDuration(context.args.flags.timeout ?? defaultText, '--timeout');
  return withDeadline(work, limitMs, `ericht ${context.verb.name}`, context.clock);
}

/** The status that a page tells. Throws DASHBOARD_UNREACHABLE. */
export async function statusOfServer(url: string): Promise<Status> {
  const unreachable = (why: string, cause?: unknown) =>
    new ErichtError('DASHBOARD_UNREACHABLE', { what: `cannot ask ${url}`, why, next: 'check --server', cause });
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) {
    throw new ErichtError('USAGE', { what: `--server is not an address: "${url}"`, next: 'write http://host:port' });
  }
  let answer: Response;
  try {
    answer = await fetch(new URL('/api/status', url));
  } catch (error) {
    throw unreachable(reasonOf((error as Error).cause ?? error), error);
  }
  if (!answer.ok) throw unreachable(`it answers ${answer.status}`);
  const status = (await answer.json().catch(() => undefined)) as Partial<Status> | undefined;
  if (Array.isArray(status?.nodes) && status.pipeline && status.power) return status as Status;
  throw unreachable('what answers there is not a page of ericht');
}

/** The status from the store and, where there is one, Kafka. Throws when the store can't be read. */
export async function statusOfStore(context: VerbContext, settings: Settings): Promise<Status> {
  const { clock, verbose } = context;
  const log = lookLog(context);
  const { store, place } = await makeStore(settings, { access: 'read', clock, log });
  if (verbose) say(context, `The answer comes from ${place}.`);
  const transport = transportStatus(context, settings, log);
  try {
    await openToLook(store, settings);
    const clusterId = await chooseCluster(settings, store);
    const [latest, facts] = await Promise.all([store.latest(clusterId), store.facts(clusterId)]);
    const now = await store.nowMs();
    const conflicts = await conflictsIn(store, { clusterId, latest, nowMs: now, log });
    const { way, reports } = await upToDate(settings, await transport, latest, { nowMs: now, conflicts, clock, log });
    const pipeline = { ...way, store: { kind: store.kind, reachable: true } };
    const { expectedNodes } = settings.config;
    const conflictOf = (nodeId: string) => conflicts.warning(clusterId, nodeId, now);
    const isDoubted = latest.some(({ report }) => conflictOf(report.nodeId) !== undefined);
    if (isDoubted && way.transport === 'kafka' && way.readable) await learnSerials(conflicts, { settings, clock, log });
    return clusterStatus({ clusterId, reports, facts, pipeline, expectedNodes, conflictOf, now });
  } finally {
    await store.stop();
  }
}

/** Throws as start() does. Where nothing is stored but simulated boards are, in their folder, it names that. */
export async function openToLook(store: Pick<TelemetryStore, 'start'>, settings: Settings): Promise<void> {
  try {
    await store.start();
  } catch (error) {
    const { dataDir } = simulatedSettings(settings);
    if (!(error instanceof ErichtError) || error.code !== 'STORE_EMPTY' || !existsSync(dataDir)) throw error;
    const next = `simulated boards have a folder of their own: --data-dir ${dataDir}`;
    throw new ErichtError('STORE_EMPTY', { what: error.what, ...(error.why && { why: error.why }), next });
  }
}

/** The configured cluster; where none was named and the store holds one alone, that one. */
export async function chooseCluster(settings: Settings, reader: Pick<StoreReader, 'clusters'>): Promise<string> {
  const { clusterId, loaded } = settings;
  if (loaded.originOf('clusterId').from !== 'default') return clusterId;
  const known = await reader.clusters();
  return known.length === 1 && known[0] !== undefined ? known[0] : clusterId;
}

/** The store alone tells who is silent only while the collector has stored all that there is. Never rejects. */
async function upToDate(
  settings: Settings,
  way: TransportStatus,
  stored: ObservedReport[],
  surroundings: { nowMs: number; conflicts: IdentityConflicts; clock: Clock; log: Log },
): Promise<{ way: TransportStatus; reports: ObservedReport[] }> {
  if (way.transport === 'link' || !way.readable || way.collectorLag === 0) return { way, reports: stored };
  const { withRecentReports } = await import('./recent-reports.ts');
  try {
    return { way, reports: await withRecentReports(settings, stored, surroundings) };
  } catch (error) {
    const problem = toErichtError(error).message;
    return { way: { ...way, readable: false, problem }, reports: stored };
  }
}

/** Never rejects: what is not known is left out, and unreadable Kafka is an answer. */
async function transportStatus({ clock }: VerbContext, settings: Settings, log: Log): Promise<TransportStatus> {
  // From outside of the process there is no telling whether its link works: reports that stay away tell.
  if (settings.config.transport === 'link') return { transport: 'link', readable: true, since: 0 };
  const { KafkaAdmin } = await import('../../kafka/admin.ts');
  const admin = new KafkaAdmin({
    settings: kafkaSettingsOf(settings, 'status'),
    clock,
    log,
    callTimeoutMs: KAFKA_LIMIT_MS,
  });
  try {
    const { online } = await withDeadline(admin.brokers(), KAFKA_LIMIT_MS, 'asking Kafka', clock);
    const { reports } = topicSpecs(settings.config.kafka.topicPrefix);
    const lag = await admin.lag(collectorGroup(settings), reports.name).catch(() => undefined);
    return {
      transport: 'kafka',
      readable: true,
      since: 0,
      brokersOnline: online,
      ...(lag !== undefined && { collectorLag: lag }),
    };
  } catch (error) {
    const problem = toErichtError(error).message;
    return { transport: 'kafka', readable: false, since: 0, problem, brokersOnline: 0 };
  } finally {
    await admin.stop();
  }
}
